// SPDX-License-Identifier: GPL-2.0
#include "dump/kernel/types.hpp"

namespace ballast::dump {

std::optional<Field> Types::member_of(std::string_view type, std::string_view name) const {
    const auto id = structure(type);
    return id ? member(*id, name) : std::nullopt;
}

std::optional<std::uint64_t> Types::size(std::string_view type) const {
    const auto id = structure(type);
    return id ? std::optional(describe(*id).size) : std::nullopt;
}

std::optional<std::uint64_t> Types::offset(std::string_view type, std::string_view member_name) const {
    const auto found = member_of(type, member_name);
    return found ? std::optional(found->offset) : std::nullopt;
}

std::optional<std::uint64_t> Types::length(std::string_view type, std::string_view member_name) const {
    const auto found = member_of(type, member_name);
    const Type array = found ? describe(found->type) : Type{};
    return array.kind == Type::Kind::array ? std::optional(array.count) : std::nullopt;
}

} // namespace ballast::dump
