// SPDX-License-Identifier: GPL-2.0
#include "dump/input/page_reader.hpp"

#include "dump/input/error.hpp"

#include <algorithm>
#include <fmt/format.h>

namespace ballast::dump {

PageReader::PageReader(const Core &core) : memory_(core.format().reader()), page_size_(core.page_size()) {}

std::span<const std::byte> PageReader::page(Pfn pfn) {
    const std::uint64_t physical = pfn * page_size_;
    const std::span<const std::byte> whole = memory_->view(physical, page_size_);
    return whole.size() == page_size_ ? whole : assembled_page(physical);
}

std::span<const std::byte> PageReader::view(std::uint64_t physical, std::uint64_t wanted) {
    try {
        return memory_->view(physical, wanted);
    } catch (const ReadError &) {
        return {};
    }
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
    for (auto at = memory_->at_or_after(physical); at && *at < end; at = memory_->at_or_after(*at)) {
        const auto piece = memory_->view(*at, end - *at);
        std::ranges::copy(piece, page_.begin() + static_cast<std::ptrdiff_t>(*at - physical));
        found = true;
        at = *at + piece.size();
    }
    if (!found) {
        throw ReadError(fmt::format("the core doesn't hold the page at physical address {:#x}", physical));
    }
    return page_;
}

} // namespace ballast::dump
