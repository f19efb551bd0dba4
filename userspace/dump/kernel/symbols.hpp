// SPDX-License-Identifier: GPL-2.0
#pragma once

#include "dump/input/vmcoreinfo.hpp"
#include "dump/kernel/address_space.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ballast::dump {

/** Addresses of the dead kernel's symbols by their names. */
using Symbols = std::map<std::string, std::uint64_t, std::less<>>;

/**
 * Looks names up in kallsyms, the table of symbols in the kernel's own memory (kernel/kallsyms.c, scripts/kallsyms.c),
 * which VMCOREINFO points at since 6.0 and which is searched for in older ones. Of names that stand there more than
 * once the first counts.
 *
 * How an address is coded differs between kernels: that way counts in which symbols which VMCOREINFO tells as well come
 * out right. Empty where none does, or where there is no kallsyms. Throws Error on a read error.
 */
Symbols find_symbols(const Vmcoreinfo &vmcoreinfo, AddressSpace &memory, std::vector<std::string_view> names);

/** The symbol's address, if it was found. */
std::optional<std::uint64_t> address_of(const Symbols &symbols, std::string_view name);

} // namespace ballast::dump
