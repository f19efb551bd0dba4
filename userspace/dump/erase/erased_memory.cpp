// SPDX-License-Identifier: GPL-2.0
#include "dump/erase/erased_memory.hpp"

#include <algorithm>

namespace ballast::dump {

void ErasedMemory::add(std::uint64_t physical, std::uint64_t size, std::byte fill) {
    const std::uint64_t end = physical + size;
    while (physical < end) {
        const Pfn pfn = physical / page_size_;
        const std::uint64_t piece_end = std::min(end, (pfn + 1) * page_size_);
        pages_[pfn].push_back({.begin = physical, .end = piece_end, .fill = fill});
        physical = piece_end;
    }
}

void ErasedMemory::erase_from(std::uint64_t physical, std::span<std::byte> bytes) const {
    const std::uint64_t bytes_end = physical + bytes.size();
    for (auto page = pages_.lower_bound(physical / page_size_);
         page != pages_.end() && page->first * page_size_ < bytes_end; ++page) {
        for (const Piece &piece : page->second) {
            const std::uint64_t begin = std::max(piece.begin, physical);
            const std::uint64_t end = std::min(piece.end, bytes_end);
            if (begin < end) {
                std::ranges::fill(bytes.subspan(begin - physical, end - begin), piece.fill);
            }
        }
    }
}

} // namespace ballast::dump
