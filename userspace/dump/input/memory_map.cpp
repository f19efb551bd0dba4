// SPDX-License-Identifier: GPL-2.0
#include "dump/input/memory_map.hpp"

#include <algorithm>
#include <map>

namespace ballast::dump {

namespace {

using Extents = std::map<std::uint64_t, Extent>; // by where they begin

/** Adds what isn't covered yet of [begin, end). */
void fill_gaps(Extents &extents, std::uint64_t begin, std::uint64_t end, std::optional<std::uint64_t> offset) {
    const std::uint64_t origin = begin;
    auto next = extents.upper_bound(begin);
    if (next != extents.begin()) {
        begin = std::max(begin, std::prev(next)->second.end);
    }
    while (begin < end) {
        const std::uint64_t gap_end = next == extents.end() ? end : std::min(end, next->first);
        if (begin < gap_end) {
            const std::uint64_t skipped = begin - origin;
            extents.emplace_hint(next, begin,
                                 Extent{begin, gap_end, offset ? std::optional(*offset + skipped) : std::nullopt});
        }
        if (next == extents.end()) {
            return;
        }
        begin = std::max(begin, next->second.end);
        ++next;
    }
}

} // namespace

MemoryMap::MemoryMap(std::span<const Segment> segments) {
    Extents extents;
    for (const Segment &segment : segments) {
        fill_gaps(extents, segment.physical, segment.physical + std::min(segment.file_size, segment.memory_size),
                  segment.offset);
    }
    // After all data: one segment's zeros must not hide what another holds.
    for (const Segment &segment : segments) {
        fill_gaps(extents, segment.physical, segment.physical + segment.memory_size, std::nullopt);
    }
    extents_.reserve(extents.size());
    for (const auto &[begin, extent] : extents) {
        extents_.push_back(extent);
    }
}

const Extent *MemoryMap::at_or_after(std::uint64_t physical) const {
    const auto found =
        std::upper_bound(extents_.begin(), extents_.end(), physical,
                         [](std::uint64_t address, const Extent &extent) { return address < extent.end; });
    return found == extents_.end() ? nullptr : &*found;
}

} // namespace ballast::dump
