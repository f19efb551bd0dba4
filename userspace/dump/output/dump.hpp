// SPDX-License-Identifier: GPL-2.0
#pragma once

#include "dump/compress/compressor.hpp"
#include "dump/input/bitmap.hpp"
#include "dump/input/core.hpp"
#include "dump/input/progress.hpp"
#include "dump/kernel/kernel.hpp"

#include <cstdint>
#include <string>

namespace ballast::dump {

struct DumpOptions {
    std::string path;
    bool overwrite = false;
    Codec codec = Codec::raw;
    unsigned dump_level = 0; // for the header; with bit 1, zero pages share one copy
    unsigned threads = 1;
    bool dry_run = false; // all but the writing
};

struct DumpResult {
    std::uint64_t pages = 0;
    std::uint64_t zero_pages = 0; // of these, left out for the shared one
    std::uint64_t bytes = 0;      // the file's size
};

/**
 * Writes a kdump-compressed file (kdump_format.hpp). The same core, bitmaps, codec and level make the same bytes,
 * whatever the number of threads.
 *
 * Throws Error when not all pages got into the file. It is kept then, marked incomplete, and the pages that it lacks
 * have descriptors of zeros; only where the disk lacks room for headers and bitmaps can it not be opened.
 */
DumpResult write_dump(const Core &core, const Kernel &kernel, const Bitmap &present, const Bitmap &dumped,
                      const DumpOptions &options, ProgressSink &progress);

} // namespace ballast::dump
