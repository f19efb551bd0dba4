// SPDX-License-Identifier: GPL-2.0
#pragma once

#include "dump/input/memory_map.hpp"

#include <span>
#include <string>
#include <string_view>

namespace ballast::dump {

/**
 * VMCOREINFO of a kernel, given apart from a core (-i), with what only the core can tell: where that kernel ran, how,
 * and when it crashed. A text without KERNELOFFSET was made of a vmlinux: its symbols are moved to where the kernel
 * ran.
 *
 * own: the core's VMCOREINFO, may be empty; then the segment that maps the kernel's text tells where it ran, if there
 * is one. Throws Error, of exit status 2 where the two are of different kernels.
 */
std::string complete_given_vmcoreinfo(std::string_view given, std::string_view own, std::span<const Segment> segments);

} // namespace ballast::dump
