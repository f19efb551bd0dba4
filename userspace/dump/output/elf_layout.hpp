// SPDX-License-Identifier: GPL-2.0
#pragma once

#include "dump/input/bitmap.hpp"
#include "dump/input/core.hpp"
#include "dump/input/rank_index.hpp"
#include "dump/output/machine.hpp"

#include <cstddef>
#include <cstdint>
#include <elf.h>
#include <string_view>
#include <vector>

namespace ballast::dump {

/**
 * The headers of an ELF dump. Each PT_LOAD of the core becomes some: one for each run of pages that are in the dump,
 * with the pages that follow it and are not as memory beyond its data. Where PT_LOADs overlap they share the data.
 *
 * A short run of pages that are left out costs less than a program header and the search for it; so such pages are
 * taken in, as makedumpfile does (and its manual says).
 */
class ElfLayout {
  public:
    /**
     * pages: those to dump; others with data that stand in short runs between them are added.
     * eraseinfo: for a note.
     */
    ElfLayout(const Core &core, const Machine &machine, Bitmap pages, std::string_view eraseinfo);

    /** With those added. */
    [[nodiscard]] const Bitmap &pages() const { return pages_; }

    /** Where the pages' data starts, page after page; in bytes. */
    [[nodiscard]] std::uint64_t data() const { return data_; }

    /** The file up to data(), where there is data up to `end` only. In bytes. */
    [[nodiscard]] std::vector<std::byte> headers(std::uint64_t end) const;

  private:
    void take_in_short_gaps(const Bitmap &with_data);
    void add_segment(const Segment &segment, const RankIndex &ranks);

    std::uint64_t page_size_;
    Bitmap pages_;
    std::vector<std::byte> notes_;
    std::vector<Elf64_Phdr> loads_; // offsets from data_
    std::uint64_t section_ = 0;     // offsets in the file
    std::uint64_t notes_offset_ = 0;
    std::uint64_t data_ = 0;
};

} // namespace ballast::dump
