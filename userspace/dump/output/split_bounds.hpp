// SPDX-License-Identifier: GPL-2.0
#pragma once

#include "dump/compress/compressor.hpp"
#include "dump/input/core.hpp"
#include "dump/output/chunk_plan.hpp"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace ballast::dump {

/** How a dump is split, and what its pages take. */
struct SplitWork {
    const Core &core;
    const Bitmap &pages;
    const ChunkPlan &plan; // of these pages
    Compression compression;
    bool share_zeros = false;
    std::uint64_t block = 1; // parts begin at about multiples of so many chunks
    std::size_t parts = 1;
};

/**
 * The page where each part but the first begins, a multiple of 64, so that the parts' files are about as large each.
 * What chunks take is estimated from some of their pages, read and compressed: one of 32, more where there are few
 * pages. The same pages make the same bounds.
 */
std::vector<Pfn> split_bounds(const SplitWork &work);

} // namespace ballast::dump
