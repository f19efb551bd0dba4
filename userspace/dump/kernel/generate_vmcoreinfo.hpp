// SPDX-License-Identifier: GPL-2.0
#pragma once

#include <string>

namespace ballast::dump {

/**
 * A text like the VMCOREINFO that the kernel of this vmlinux would have in its memory, as far as a build can tell it:
 * without where the kernel runs (KERNELOFFSET, phys_base) and how (pgtable_l5_enabled). Where the kernel's own text has
 * mem_section's value, this has the pointer's address, as makedumpfile's -g does. Throws Error for a file that isn't a
 * vmlinux with debug information.
 */
std::string generate_vmcoreinfo(const std::string &vmlinux);

} // namespace ballast::dump
