// SPDX-License-Identifier: GPL-2.0
#pragma once

#include "dump/input/vmcoreinfo.hpp"
#include "dump/kernel/address_space.hpp"
#include "dump/kernel/symbols.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace ballast::dump {

/**
 * Throws Error, with makedumpfile's exit status for it, 2, where the file vmlinux is that of another kernel: one with
 * another build ID, or, before 5.9, when VMCOREINFO doesn't tell one, another release. Also where it can't be read.
 */
void check_vmlinux(const std::string &vmlinux, const Vmcoreinfo &vmcoreinfo);

/** Looks names up in the file's table of symbols: addresses where the kernel has run. Throws Error. */
Symbols symbols_in_vmlinux(const std::string &vmlinux, const Vmcoreinfo &vmcoreinfo,
                           const std::vector<std::string_view> &names);

/** The release of the file's kernel, empty where it doesn't tell. Throws Error. */
std::string release_of_vmlinux(const std::string &vmlinux);

/** Looks names up in the kernel's own memory, and where vmlinux isn't empty in that file what isn't found there. */
Symbols find_symbols(const Vmcoreinfo &vmcoreinfo, AddressSpace &memory, std::vector<std::string_view> names,
                     const std::string &vmlinux);

/** Where the kernel's image is linked to: what is lower is no address of its own (Documentation/x86/x86_64/mm.rst). */
constexpr std::uint64_t image_start = 0xffffffff80000000;

/** How far from where it was linked to the kernel has run (KASLR), in bytes. */
std::uint64_t relocation_of(const Vmcoreinfo &vmcoreinfo);

} // namespace ballast::dump
