// SPDX-License-Identifier: GPL-2.0
#pragma once

#include "dump/input/vmcoreinfo.hpp"
#include "dump/kernel/address_space.hpp"

#include <cstdint>
#include <optional>

namespace ballast::dump {

/** Where the parts of kallsyms stand (scripts/kallsyms.c): virtual addresses. */
struct KallsymsTables {
    std::uint64_t count = 0;       // kallsyms_num_syms
    std::uint64_t names = 0;       // a length and tokens for each symbol
    std::uint64_t token_table = 0; // what tokens stand for, NUL-terminated
    std::uint64_t token_index = 0; // where each token's text starts in it
    std::uint64_t offsets = 0;
    std::optional<std::uint64_t> relative_base;
};

/** Where VMCOREINFO says that they are, as it does since 6.0. */
std::optional<KallsymsTables> kallsyms_tables_from(const Vmcoreinfo &vmcoreinfo);

/**
 * Searches the kernel's image for them, as kernels before 6.2 have them, one behind the other: 256 rising offsets of
 * tokens are not to be mistaken, and the others are found backwards from there. Empty where there are none. Throws
 * Error on a read error.
 */
std::optional<KallsymsTables> search_kallsyms_tables(const Vmcoreinfo &vmcoreinfo, AddressSpace &memory);

} // namespace ballast::dump
