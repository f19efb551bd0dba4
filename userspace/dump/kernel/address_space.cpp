// SPDX-License-Identifier: GPL-2.0
#include "dump/kernel/address_space.hpp"

#include <algorithm>

namespace ballast::dump {

namespace {

constexpr unsigned page_bits = 12;
constexpr unsigned index_bits = 9;
/** Are all bits above the top table's index copies of the highest one that it uses? */
bool is_canonical(std::uint64_t address, unsigned levels) {
    const unsigned unused = 64 - page_bits - levels * index_bits;
    const auto shifted = static_cast<std::int64_t>(address << unused);
    return static_cast<std::uint64_t>(shifted >> unused) == address;
}

} // namespace

std::optional<AddressSpace::Translation> AddressSpace::translate(std::uint64_t address) {
    if (!is_canonical(address, tables_.levels)) {
        return std::nullopt;
    }
    std::uint64_t table = tables_.root;
    for (unsigned level = tables_.levels; level > 0; --level) {
        const unsigned shift = page_bits + (level - 1) * index_bits;
        const std::uint64_t index = (address >> shift) % page_table_entry::count;
        const Table *entries = table_at(table, level);
        if (entries == nullptr || (entries->entries[index] & page_table_entry::present) == 0) {
            return std::nullopt;
        }
        const std::uint64_t entry = entries->entries[index];
        const std::uint64_t target = entry & page_table_entry::address & ~tables_.encryption_mask;
        if (page_table_entry::is_page(entry, level)) {
            const std::uint64_t size = std::uint64_t{1} << shift;
            const std::uint64_t within = address % size;
            // A huge entry has the PAT bit among the address bits of smaller pages.
            return Translation{.physical = target / size * size + within, .bytes = size - within};
        }
        table = target;
    }
    return std::nullopt;
}

const AddressSpace::Table *AddressSpace::table_at(std::uint64_t physical, unsigned level) {
    Table &table = last_tables_.at(level - 1);
    if (table.physical != physical) {
        table.physical = UINT64_MAX; // if reading fails
        if (!reader_.read(physical, std::as_writable_bytes(std::span(table.entries)))) {
            return nullptr;
        }
        table.physical = physical;
    }
    return &table;
}

bool AddressSpace::read(std::uint64_t address, std::span<std::byte> out) {
    while (!out.empty()) {
        const auto place = translate(address);
        if (!place) {
            return false;
        }
        const std::uint64_t length = std::min<std::uint64_t>(out.size(), place->bytes);
        if (!reader_.read(place->physical, out.first(length))) {
            return false;
        }
        address += length;
        out = out.subspan(length);
    }
    return true;
}

} // namespace ballast::dump
