// SPDX-License-Identifier: GPL-2.0
#include "dump/filter/struct_pages.hpp"

#include <algorithm>

namespace ballast::dump {

namespace {

// Small, as large free blocks let most struct pages be skipped; the reader below gets more at once where that pays.
constexpr std::uint64_t window_bytes = std::uint64_t{8} * 1024;

} // namespace

StructPages::StructPages(const Core &core, const Kernel &kernel)
    : reader_(core),
      memory_(core, kernel.page_tables()),
      size_(kernel.page_layout().size),
      page_size_(core.page_size()),
      copy_(2 * size_) {}

StructPages::Window StructPages::at(const MemorySection &section, Pfn pfn) {
    const std::uint64_t address = section.mem_map + (pfn - section.first) * size_;
    const std::uint64_t left = section.end - pfn;
    if (!translate(address)) {
        // The rest of this small page isn't there either.
        const std::uint64_t unmapped = (page_size_ - address % page_size_ + size_ - 1) / size_;
        return {.data = nullptr, .count = std::min(left, unmapped)};
    }
    const std::uint64_t within = address - mapped_;
    const std::uint64_t wanted = std::min({left * size_, place_.bytes - within, window_bytes / size_ * size_});
    const auto piece = reader_.view(place_.physical + within, wanted);
    const std::uint64_t whole = piece.size() / size_;
    if (whole == left || whole >= 2) {
        return {.data = piece.data(), .count = whole == left ? whole : whole / 2 * 2};
    }
    return copied(address, std::min<std::uint64_t>(left, 2));
}

bool StructPages::translate(std::uint64_t address) {
    if (address - mapped_ < place_.bytes) {
        return true;
    }
    const auto place = memory_.translate(address);
    mapped_ = address;
    place_ = place.value_or(AddressSpace::Translation{});
    return place.has_value();
}

/** For struct pages that don't stand in one piece of physical memory. */
StructPages::Window StructPages::copied(std::uint64_t address, std::uint64_t count) {
    const bool readable = memory_.read(address, std::span(copy_).first(count * size_));
    return {.data = readable ? copy_.data() : nullptr, .count = count};
}

} // namespace ballast::dump
