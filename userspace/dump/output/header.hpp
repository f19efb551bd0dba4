// SPDX-License-Identifier: GPL-2.0
#pragma once

#include "dump/input/core.hpp"
#include "dump/input/kdump_format.hpp"
#include "dump/output/layout.hpp"
#include "dump/output/machine.hpp"

#include <cstddef>
#include <optional>
#include <vector>

namespace ballast::dump {

/** Which pages a part of a split dump has: [begin, end). */
struct SplitRange {
    Pfn begin = 0;
    Pfn end = 0;
};

/**
 * The blocks before the bitmaps: header, sub header, notes; layout.present_bitmap bytes. The header takes its time from
 * the crash, as makedumpfile does, so that the same core makes the same file at any time.
 */
std::vector<std::byte> make_header_blocks(const Core &core, const Machine &machine, const Layout &layout,
                                          std::uint32_t status, unsigned dump_level,
                                          const std::optional<SplitRange> &split);

} // namespace ballast::dump
