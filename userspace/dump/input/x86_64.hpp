// SPDX-License-Identifier: GPL-2.0
#pragma once

#include <cstdint>

namespace ballast::dump {

/** Where the kernel's text is mapped from, its link address without KASLR (Documentation/x86/x86_64/mm.rst). */
constexpr std::uint64_t kernel_text_start = 0xffffffff80000000;

} // namespace ballast::dump
