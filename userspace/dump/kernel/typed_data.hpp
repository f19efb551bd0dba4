// SPDX-License-Identifier: GPL-2.0
#pragma once

#include "dump/kernel/address_space.hpp"
#include "dump/kernel/types.hpp"

#include <cstdint>
#include <optional>
#include <string_view>

namespace ballast::dump {

/** The integer of `size` bytes, 1, 2, 4 or 8, at a virtual address. Empty where it can't be read. */
std::optional<std::uint64_t> read_integer(AddressSpace &memory, std::uint64_t address, std::uint64_t size,
                                          bool is_signed = false);

/** The pointer at a virtual address. Empty where it can't be read. */
std::optional<std::uint64_t> read_pointer(AddressSpace &memory, std::uint64_t address);

/** A piece of the dead kernel's memory, and what is there. Refers to its types. */
struct TypedData {
    const Types *types = nullptr;
    TypeId type = 0;
    std::uint64_t address = 0; // virtual

    [[nodiscard]] Type describe() const { return types->describe(type); }

    /** A member of a struct. Empty for what isn't one, or has no such member. */
    [[nodiscard]] std::optional<TypedData> member(std::string_view name) const {
        const auto field = types->member(type, name);
        return field ? std::optional(TypedData{types, field->type, address + field->offset}) : std::nullopt;
    }
};

} // namespace ballast::dump
