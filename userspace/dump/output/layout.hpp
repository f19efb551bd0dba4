// SPDX-License-Identifier: GPL-2.0
#pragma once

#include <cstdint>

namespace ballast::dump {

/** Where the parts of a kdump-compressed file stand. Offsets and sizes in bytes. */
struct Layout {
    std::uint64_t block_size = 0; // the dumped machine's page size
    std::uint64_t max_mapnr = 0;  // bits in each bitmap
    std::uint64_t pages = 0;      // descriptors

    std::uint64_t sub_header = 0;
    std::uint64_t sub_header_blocks = 0; // the notes that follow the sub header included
    std::uint64_t notes = 0;
    std::uint64_t bitmap_size = 0; // each of the two
    std::uint64_t present_bitmap = 0;
    std::uint64_t dumped_bitmap = 0;
    std::uint64_t descriptors = 0;
    std::uint64_t data = 0; // at a block's start

    Layout(std::uint64_t page_size, std::uint64_t notes_size, std::uint64_t max_pfn, std::uint64_t dumped_pages);

    [[nodiscard]] std::uint64_t bitmap_blocks() const { return 2 * bitmap_size / block_size; }
};

} // namespace ballast::dump
