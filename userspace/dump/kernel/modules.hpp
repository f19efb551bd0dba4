// SPDX-License-Identifier: GPL-2.0
#pragma once

#include "dump/kernel/address_space.hpp"
#include "dump/kernel/symbols.hpp"
#include "dump/kernel/types.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ballast::dump {

/** Finds a loaded module, - and _ being the same, in the list whose head is at an address. Its struct module's address.
 */
std::optional<std::uint64_t> find_module(AddressSpace &memory, const Types &types, std::uint64_t modules,
                                         std::string_view name);

/** Looks names up among a module's own symbols, which it keeps in memory for kallsyms. */
Symbols module_symbols(AddressSpace &memory, const Types &types, std::uint64_t module,
                       const std::vector<std::string_view> &names);

/**
 * The file with a module's debug information, in the folders where distributions put them: below that of vmlinux, and
 * /usr/lib/debug. Empty where there is none.
 */
std::optional<std::string> find_module_file(const std::string &vmlinux, const std::string &release,
                                            std::string_view name);

} // namespace ballast::dump
