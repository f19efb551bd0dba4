// SPDX-License-Identifier: GPL-2.0
#include "dump/input/page_reader.hpp"

#include "dump/input/error.hpp"

#include <algorithm>
#include <array>
#include <fmt/format.h>

namespace ballast::dump {

namespace {

constexpr std::array<std::byte, 4096> zeros{};

} // namespace

PageReader::PageReader(const Core &core)
    : memory_(&core.memory()), page_size_(core.page_size()), window_(core.file()) {}

std::span<const std::byte> PageReader::page(Pfn pfn) {
    const std::uint64_t physical = pfn * page_size_;
    const std::span<const std::byte> whole = view(physical, page_size_);
    return whole.size() == page_size_ ? whole : assembled_page(physical);
}

std::span<const std::byte> PageReader::view(std::uint64_t physical, std::uint64_t wanted) {
    if (extent_ == nullptr || physical < extent_->begin || physical >= extent_->end) {
        extent_ = memory_->at_or_after(physical);
        if (extent_ == nullptr || physical < extent_->begin) {
            return {};
        }
    }
    const std::uint64_t length = std::min({wanted, extent_->end - physical, FileWindow::largest_request});
    if (!extent_->offset) {
        return std::span(zeros).first(std::min<std::uint64_t>(length, zeros.size()));
    }
    return window_.at(*extent_->offset + (physical - extent_->begin), length);
}

bool PageReader::read(std::uint64_t physical, std::span<std::byte> out) {
    while (!out.empty()) {
        const std::span<const std::byte> piece = view(physical, out.size());
        if (piece.empty()) {
            return false;
        }
        std::copy(piece.begin(), piece.end(), out.begin());
        physical += piece.size();
        out = out.subspan(piece.size());
    }
    return true;
}

std::span<const std::byte> PageReader::assembled_page(std::uint64_t physical) {
    page_.assign(page_size_, std::byte{0});
    const std::uint64_t end = physical + page_size_;
    bool found = false;
    for (const Extent *extent = memory_->at_or_after(physical); extent != nullptr && extent->begin < end;
         extent = memory_->at_or_after(extent->end)) {
        const std::uint64_t from = std::max(physical, extent->begin);
        const std::uint64_t to = std::min(end, extent->end);
        read(from, std::span(page_).subspan(from - physical, to - from));
        found = true;
    }
    if (!found) {
        throw Error(fmt::format("no PT_LOAD holds the page at physical address {:#x}", physical));
    }
    return page_;
}

} // namespace ballast::dump
