// SPDX-License-Identifier: GPL-2.0
#include "synthetic_symbols.hpp"

#include <array>
#include <fmt/format.h>
#include <span>
#include <string_view>
#include <vector>

namespace {

constexpr std::uint64_t tables = SyntheticCore::kernel_physical + 0x100000;
constexpr std::uint64_t count_at = tables;
constexpr std::uint64_t base_at = tables + 8;
constexpr std::uint64_t offsets_at = tables + 0x1000;
constexpr std::uint64_t token_table_at = tables + 0x3000;
constexpr std::uint64_t token_index_at = tables + 0x4000;
constexpr std::uint64_t names_at = tables + 0x5000;

// A token of several letters; all others stand for themselves.
constexpr std::uint8_t long_token = 1;
constexpr std::string_view long_text = "__";

template<typename Value>
void put(SyntheticCore &core, std::uint64_t physical, const Value &value) {
    core.write_physical(physical, std::as_bytes(std::span(&value, 1)));
}

void put_tokens(SyntheticCore &core, std::uint64_t table_at, std::uint64_t index_at) {
    std::string table;
    for (unsigned token = 0; token < 256; ++token) {
        put(core, index_at + token * 2, static_cast<std::uint16_t>(table.size()));
        if (token == long_token) {
            table += long_text;
        } else if (token != 0) {
            table += static_cast<char>(token);
        }
        table += '\0';
    }
    core.write_physical(table_at, std::as_bytes(std::span(table)));
}

std::string coded_name(const std::string &name) {
    std::string coded = "D";
    for (std::size_t i = 0; i < name.size(); ++i) {
        if (name.substr(i, long_text.size()) == long_text) {
            coded += static_cast<char>(long_token);
            i += long_text.size() - 1;
        } else {
            coded += name[i];
        }
    }
    std::string length;
    if (coded.size() >= 0x80) {
        length += static_cast<char>(0x80U | (coded.size() & 0x7fU));
        length += static_cast<char>(coded.size() >> 7U);
    } else {
        length += static_cast<char>(coded.size());
    }
    return length + coded;
}

std::uint32_t coded_offset(KallsymsCoding coding, std::uint64_t address, std::uint64_t base, std::uint64_t place) {
    switch (coding) {
    case KallsymsCoding::absolute_or_below:
        return static_cast<std::uint32_t>(address < base ? address : base - 1 - address);
    case KallsymsCoding::above_base:
        return static_cast<std::uint32_t>(address - base);
    case KallsymsCoding::from_own_place:
        break;
    }
    return static_cast<std::uint32_t>(address - place);
}

} // namespace

void add_kallsyms(SyntheticCore &core, KallsymsCoding coding, const std::map<std::string, std::uint64_t> &symbols) {
    std::map<std::string, std::uint64_t> all = symbols;
    for (const std::string name : {"init_uts_ns", "init_top_pgt"}) {
        all[name] = std::stoull(core.vmcoreinfo.at("SYMBOL(" + name + ")"), nullptr, 16);
    }
    all[std::string(200, 'x')] = core.image(tables); // a name longer than one byte can tell

    const std::uint64_t base = core.image(SyntheticCore::kernel_physical);
    std::string names;
    std::uint32_t count = 0;
    for (const auto &[name, address] : all) {
        const std::uint64_t place = offsets_at + std::uint64_t{count} * 4;
        put(core, place, coded_offset(coding, address, base, core.image(place)));
        names += coded_name(name);
        ++count;
    }
    core.write_physical(names_at, std::as_bytes(std::span(names)));
    put(core, count_at, count);
    put(core, base_at, base);
    put_tokens(core, token_table_at, token_index_at);

    const auto tell = [&core](const std::string &name, std::uint64_t physical) {
        core.vmcoreinfo["SYMBOL(kallsyms_" + name + ")"] = fmt::format("{:x}", core.image(physical));
    };
    tell("names", names_at);
    tell("num_syms", count_at);
    tell("token_table", token_table_at);
    tell("token_index", token_index_at);
    tell("offsets", offsets_at);
    if (coding != KallsymsCoding::from_own_place) {
        tell("relative_base", base_at);
    }
}

void add_untold_kallsyms(SyntheticCore &core, const std::map<std::string, std::uint64_t> &symbols) {
    std::map<std::string, std::uint64_t> all = symbols;
    for (const std::string name : {"init_uts_ns", "init_top_pgt"}) {
        all[name] = std::stoull(core.vmcoreinfo.at("SYMBOL(" + name + ")"), nullptr, 16);
    }
    for (unsigned i = 0; i < 600; ++i) {
        all[fmt::format("symbol_{}", i)] = core.image(tables) + i;
    }
    const auto padded = [](std::uint64_t size) { return (size + 7) / 8 * 8; };
    const std::uint64_t base = core.image(SyntheticCore::kernel_physical);
    const std::uint64_t base_place = tables + padded(all.size() * 4);
    const std::uint64_t names_place = base_place + 16;

    std::string names;
    std::vector<std::uint32_t> markers;
    std::uint64_t count = 0;
    for (const auto &[name, address] : all) {
        if (count % 256 == 0) {
            markers.push_back(static_cast<std::uint32_t>(names.size()));
        }
        put(core, tables + count * 4, coded_offset(KallsymsCoding::absolute_or_below, address, base, 0));
        names += coded_name(name);
        ++count;
    }
    put(core, base_place, base);
    put(core, base_place + 8, count);
    core.write_physical(names_place, std::as_bytes(std::span(names)));
    const std::uint64_t markers_place = names_place + padded(names.size());
    core.write_physical(markers_place, std::as_bytes(std::span(markers)));
    const std::uint64_t tokens_place = markers_place + padded(markers.size() * 4);
    constexpr std::uint64_t token_table_size = 512; // 256 NULs, 255 letters, and one more of the long token's
    put_tokens(core, tokens_place, tokens_place + token_table_size);
    core.vmcoreinfo["SYMBOL(_stext)"] = fmt::format("{:x}", core.image(SyntheticCore::kernel_physical));
}
