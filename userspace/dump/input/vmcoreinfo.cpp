// SPDX-License-Identifier: GPL-2.0
#include "dump/input/vmcoreinfo.hpp"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>

namespace ballast::dump {

namespace {

template<typename Number>
std::optional<Number> parse(std::optional<std::string_view> text, int base) {
    if (!text) {
        return std::nullopt;
    }
    Number number{};
    const char *end = text->data() + text->size();
    const auto [stopped, error] = std::from_chars(text->data(), end, number, base);
    return error == std::errc{} && stopped == end ? std::optional(number) : std::nullopt;
}

} // namespace

Vmcoreinfo::Vmcoreinfo(std::string_view text) {
    while (!text.empty()) {
        const std::string_view line = text.substr(0, text.find('\n'));
        text.remove_prefix(std::min(line.size() + 1, text.size()));
        const std::size_t equals = line.find('=');
        if (equals != std::string_view::npos) {
            lines_.insert_or_assign(line.substr(0, equals), line.substr(equals + 1));
        }
    }
}

std::optional<std::string_view> Vmcoreinfo::text(std::string_view key) const {
    const auto found = lines_.find(key);
    return found == lines_.end() ? std::nullopt : std::optional(found->second);
}

std::optional<std::int64_t> Vmcoreinfo::decimal(std::string_view key) const {
    return parse<std::int64_t>(text(key), 10);
}

std::optional<std::uint64_t> Vmcoreinfo::hexadecimal(std::string_view key) const {
    return parse<std::uint64_t>(text(key), 16);
}

std::optional<std::uint64_t> Vmcoreinfo::symbol(std::string_view name) const {
    return hexadecimal(fmt::format("SYMBOL({})", name));
}

std::optional<std::uint64_t> Vmcoreinfo::offset(std::string_view name) const {
    return parse<std::uint64_t>(text(fmt::format("OFFSET({})", name)), 10);
}

std::optional<std::uint64_t> Vmcoreinfo::size(std::string_view name) const {
    return parse<std::uint64_t>(text(fmt::format("SIZE({})", name)), 10);
}

std::optional<std::uint64_t> Vmcoreinfo::length(std::string_view name) const {
    return parse<std::uint64_t>(text(fmt::format("LENGTH({})", name)), 10);
}

std::optional<std::int64_t> Vmcoreinfo::number(std::string_view name) const {
    return decimal(fmt::format("NUMBER({})", name));
}

} // namespace ballast::dump
