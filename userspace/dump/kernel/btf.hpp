// SPDX-License-Identifier: GPL-2.0
#pragma once

#include "dump/kernel/address_space.hpp"
#include "dump/kernel/symbols.hpp"
#include "dump/kernel/types.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

namespace ballast::dump {

/** Types as BTF describes them (Documentation/bpf/btf.rst). Null for what isn't valid BTF. */
std::unique_ptr<Types> parse_btf(std::span<const std::byte> bytes);

/**
 * The BTF that a kernel carries in its own memory, between two addresses. Null where it can't be read or isn't valid.
 * Throws Error on a read error.
 */
std::unique_ptr<Types> read_btf(AddressSpace &memory, std::uint64_t begin, std::uint64_t end);

/** The symbols between which BTF stands. */
constexpr std::array<std::string_view, 2> btf_symbols{"__start_BTF", "__stop_BTF"};

/** The same, between these. */
std::unique_ptr<Types> read_btf(AddressSpace &memory, const Symbols &symbols);

} // namespace ballast::dump
