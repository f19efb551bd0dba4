// SPDX-License-Identifier: GPL-2.0
#pragma once

#include "dump/compress/compressor.hpp"
#include "dump/input/core.hpp"
#include "dump/kernel/kernel.hpp"
#include "dump/output/layout.hpp"

#include <cstddef>
#include <vector>

namespace ballast::dump {

/**
 * The blocks before the bitmaps: header, sub header, notes; layout.present_bitmap bytes. The header is marked
 * incomplete: that goes when all pages are in the file. It takes its time from the crash, as makedumpfile does, so that
 * the same core makes the same file at any time.
 */
std::vector<std::byte> make_header_blocks(const Core &core, const Kernel &kernel, const Layout &layout, Codec codec,
                                          unsigned dump_level);

} // namespace ballast::dump
