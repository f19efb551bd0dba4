// SPDX-License-Identifier: GPL-2.0
#pragma once

#include "dump/compress/compressor.hpp"
#include "dump/erase/erased_memory.hpp"
#include "dump/input/bitmap.hpp"
#include "dump/input/core.hpp"
#include "dump/input/rank_index.hpp"
#include "dump/output/output.hpp"

#include <cstdint>
#include <optional>
#include <vector>

namespace ballast::dump {

/** A file of the dump, and which of the chunks of pages go there. Offsets in bytes. */
struct CopyPart {
    Output *file = nullptr; // none: all is done but the writing
    std::uint64_t begin = 0;
    std::uint64_t end = 0;                      // chunks
    std::uint64_t first_rank = 0;               // of its first descriptor among those of all parts
    std::optional<std::uint64_t> descriptors{}; // where they are; none: the format has no descriptors
    std::optional<std::uint64_t> zero_page{};   // where zero pages have their one copy; none: they are stored
    std::uint64_t data = 0;                     // where the pages' data starts
};

/** Which pages are copied, how, and where to. */
struct CopyJob {
    const Core &core;
    const Bitmap &pages;
    Compression compression;
    bool as_stored = false;               // pages keep the form that they have in a kdump-compressed core
    const RankIndex *ranks = nullptr;     // of all pages of the file, where `pages` are some of them
    std::uint64_t dedup_memory = 0;       // bytes for finding pages with the same content; 0: none are looked for
    const ErasedMemory *erased = nullptr; // not with as_stored
    std::vector<CopyPart> parts{};
    std::vector<Pfn> cuts{}; // where parts begin
};

} // namespace ballast::dump
