// SPDX-License-Identifier: GPL-2.0
#include "dump/output/layout.hpp"

#include "dump/input/kdump_format.hpp"

namespace ballast::dump {

namespace {

constexpr std::uint64_t divide_up(std::uint64_t value, std::uint64_t by) {
    return (value + by - 1) / by;
}

} // namespace

Layout::Layout(std::uint64_t page_size, std::uint64_t notes_size, std::uint64_t max_pfn, std::uint64_t dumped_pages)
    : block_size(page_size),
      max_mapnr(max_pfn),
      pages(dumped_pages),
      sub_header(block_size),
      sub_header_blocks(divide_up(sizeof(kdump::SubHeader) + notes_size, block_size)),
      notes(sub_header + sizeof(kdump::SubHeader)),
      bitmap_size(divide_up(divide_up(max_mapnr, 8), block_size) * block_size),
      present_bitmap((1 + sub_header_blocks) * block_size),
      dumped_bitmap(present_bitmap + bitmap_size),
      descriptors(dumped_bitmap + bitmap_size),
      data(divide_up(descriptors + pages * sizeof(kdump::PageDescriptor), block_size) * block_size) {}

} // namespace ballast::dump
