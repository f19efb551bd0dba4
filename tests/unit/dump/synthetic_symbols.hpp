// SPDX-License-Identifier: GPL-2.0
#pragma once

#include "support/synthetic_core.hpp"

#include <cstdint>
#include <map>
#include <string>

/** How kallsyms codes addresses. */
enum class KallsymsCoding { absolute_or_below, above_base, from_own_place };

/** Gives the kernel a kallsyms with these symbols and those that VMCOREINFO tells, and the lines that point at it. */
void add_kallsyms(SyntheticCore &core, KallsymsCoding coding, const std::map<std::string, std::uint64_t> &symbols);

/**
 * The same of a kernel before 6.0, of which VMCOREINFO doesn't tell: the tables stand one behind the other, somewhere
 * in the image. Such kernels code addresses as absolute_or_below.
 */
void add_untold_kallsyms(SyntheticCore &core, const std::map<std::string, std::uint64_t> &symbols);

/** Where there is room for BTF in the image. */
constexpr std::uint64_t synthetic_btf_physical = SyntheticCore::kernel_physical + 0x180000;
