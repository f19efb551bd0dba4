// SPDX-License-Identifier: GPL-2.0
#pragma once

#include "dump/compress/compressor.hpp"
#include "dump/erase/erased_memory.hpp"
#include "dump/input/bitmap.hpp"
#include "dump/input/core.hpp"
#include "dump/input/progress.hpp"
#include "dump/output/machine.hpp"
#include "dump/output/output_file.hpp"
#include "dump/output/page_copier.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace ballast::dump {

enum class Format { kdump, elf };

struct DumpOptions {
    std::vector<std::string> paths{}; // several: the dump is split (kdump only); none: flattened, to standard output
    bool overwrite = false;
    Format format = Format::kdump;
    Codec codec = Codec::raw;
    int zstd_level = 1;
    bool as_stored =
        false; // pages keep the form that they have in a kdump-compressed core; the codec is for the header
    unsigned dump_level = 0; // for the header; with bit 1, zero pages share one copy
    unsigned threads = 1;
    bool dry_run = false;                            // all but the writing
    std::uint64_t size_limit = OutputFile::no_limit; // bytes of each file
    std::uint64_t split_block = 0;                   // bytes of pages, at multiples of which parts begin; 0: any
    std::uint64_t dedup_memory = 0;                  // bytes for finding pages with the same content; 0: don't
    const ErasedMemory *erased = nullptr;            // what the dump doesn't show; not with as_stored
    std::string eraseinfo{};                         // what was erased, a line each
    std::span<const Bitmap> first{};                 // pages to write before the others (kdump in one file only)
};

struct DumpResult {
    std::uint64_t pages = 0;
    std::uint64_t zero_pages = 0; // of these, left out for the shared one
    std::uint64_t same_pages = 0; // of these, that share another page's data
    UnreadablePages unreadable;   // of these, replaced by zeros
    std::uint64_t bytes = 0;      // in all files
};

/**
 * Writes a dump: kdump-compressed (kdump_format.hpp) or ELF, in a file, in several, or flattened. The same core,
 * bitmaps and options make the same bytes, whatever the number of threads.
 *
 * An ELF dump takes in pages beyond `dumped` where that saves a program header (see elf_layout.hpp), and with dump
 * level 1 leaves out zero pages.
 *
 * A page that can't be read is replaced by zeros, marked in its descriptor, and told in the result.
 *
 * Throws DiskFull or another Error when not all pages got into the file. It is kept then, marked incomplete, and the
 * pages that it lacks have descriptors of zeros, or are not among the data of an ELF dump; only where the disk lacks
 * room for headers and bitmaps can it not be opened.
 */
DumpResult write_dump(const Core &core, const Machine &machine, const Bitmap &present, const Bitmap &dumped,
                      const DumpOptions &options, ProgressSink &progress);

} // namespace ballast::dump
