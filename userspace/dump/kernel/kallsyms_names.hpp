// SPDX-License-Identifier: GPL-2.0
#pragma once

#include "dump/kernel/address_space.hpp"
#include "dump/kernel/kallsyms_tables.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace ballast::dump {

/** Symbols' numbers in kallsyms by their names. */
using SymbolNumbers = std::map<std::string, std::uint32_t, std::less<>>;

/**
 * Looks names up among the compressed ones of kallsyms (scripts/kallsyms.c), of which there are some 200,000, in the
 * order of their addresses. Of a name that stands there more than once the first counts. Throws Error on a read error.
 */
SymbolNumbers find_symbol_numbers(const KallsymsTables &tables, AddressSpace &memory,
                                  const std::vector<std::string_view> &names);

} // namespace ballast::dump
