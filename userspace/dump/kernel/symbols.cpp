// SPDX-License-Identifier: GPL-2.0
#include "dump/kernel/symbols.hpp"

#include "dump/kernel/kallsyms_names.hpp"
#include "dump/kernel/kallsyms_tables.hpp"

#include <array>
#include <span>
#include <utility>
#include <vector>

namespace ballast::dump {

namespace {

// Symbols that VMCOREINFO tells too, to check addresses by.
constexpr std::array<std::string_view, 4> anchors{"init_uts_ns", "_stext", "init_top_pgt", "node_online_map"};

template<typename Value>
std::optional<Value> read_value(AddressSpace &memory, std::uint64_t address) {
    Value value{};
    return memory.read(address, std::as_writable_bytes(std::span(&value, 1))) ? std::optional(value) : std::nullopt;
}

/** Where kallsyms' addresses stand, and how they may be coded. */
struct Offsets {
    std::uint64_t table = 0;
    std::uint64_t base = 0; // kallsyms_relative_base; 0 where there is none

    using Decode = std::uint64_t (*)(const Offsets &, std::uint32_t number, std::int32_t offset);
};

/** 4.6 to 6.14: what isn't negative is an absolute address, of a per-CPU variable. */
std::uint64_t absolute_or_below(const Offsets &offsets, std::uint32_t /*number*/, std::int32_t offset) {
    const std::int64_t wide = offset;
    return wide >= 0 ? static_cast<std::uint64_t>(wide) : offsets.base - 1 - static_cast<std::uint64_t>(wide);
}

/** Without per-CPU variables at absolute addresses. */
std::uint64_t above_base(const Offsets &offsets, std::uint32_t /*number*/, std::int32_t offset) {
    return offsets.base + static_cast<std::uint32_t>(offset);
}

/** 7.x: counted from where the offset itself stands. */
std::uint64_t from_own_place(const Offsets &offsets, std::uint32_t number, std::int32_t offset) {
    return offsets.table + std::uint64_t{number} * sizeof offset + static_cast<std::uint64_t>(std::int64_t{offset});
}

Symbols decode(const SymbolNumbers &numbers, const Offsets &offsets, Offsets::Decode way, AddressSpace &memory) {
    Symbols symbols;
    for (const auto &[name, number] : numbers) {
        const auto offset = read_value<std::int32_t>(memory, offsets.table + std::uint64_t{number} * 4);
        if (offset) {
            symbols.emplace(name, way(offsets, number, *offset));
        }
    }
    return symbols;
}

/** Are all symbols right that VMCOREINFO tells as well? */
bool is_right(const Symbols &symbols, const Vmcoreinfo &vmcoreinfo) {
    unsigned right = 0;
    for (const std::string_view name : anchors) {
        const auto told = vmcoreinfo.symbol(name);
        const auto found = address_of(symbols, name);
        if (told && found) {
            if (*told != *found) {
                return false;
            }
            ++right;
        }
    }
    return right >= 2;
}

} // namespace

Symbols find_symbols(const Vmcoreinfo &vmcoreinfo, AddressSpace &memory, std::vector<std::string_view> names) {
    auto tables = kallsyms_tables_from(vmcoreinfo);
    if (!tables) {
        tables = search_kallsyms_tables(vmcoreinfo, memory);
    }
    if (!tables) {
        return {};
    }
    names.insert(names.end(), anchors.begin(), anchors.end());
    const SymbolNumbers numbers = find_symbol_numbers(*tables, memory, names);
    const auto &base = tables->relative_base;
    const Offsets offsets{.table = tables->offsets,
                          .base = base ? read_value<std::uint64_t>(memory, *base).value_or(0) : 0};
    for (const Offsets::Decode way : {absolute_or_below, above_base, from_own_place}) {
        Symbols symbols = decode(numbers, offsets, way, memory);
        if (is_right(symbols, vmcoreinfo)) {
            return symbols;
        }
    }
    return {};
}

std::optional<std::uint64_t> address_of(const Symbols &symbols, std::string_view name) {
    const auto found = symbols.find(name);
    return found == symbols.end() ? std::nullopt : std::optional(found->second);
}

} // namespace ballast::dump
