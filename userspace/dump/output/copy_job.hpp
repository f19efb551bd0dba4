// SPDX-License-Identifier: GPL-2.0
#pragma once

#include "dump/compress/compressor.hpp"
#include "dump/input/bitmap.hpp"
#include "dump/input/core.hpp"
#include "dump/output/layout.hpp"
#include "dump/output/output_file.hpp"

#include <cstdint>

namespace ballast::dump {

/** Which pages are copied, how, and where to. */
struct CopyJob {
    const Core &core;
    const Bitmap &dumped;
    const Layout &layout;
    Codec codec = Codec::raw;
    bool share_zero_pages = false;    // they have one copy, at layout.data
    const OutputFile *file = nullptr; // none: all is done but the writing

    /** Where the pages' data starts. */
    [[nodiscard]] std::uint64_t start() const { return layout.data + (share_zero_pages ? layout.block_size : 0); }
};

} // namespace ballast::dump
