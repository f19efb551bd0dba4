// SPDX-License-Identifier: GPL-2.0
#include "dump/input/core.hpp"

#include "dump/input/error.hpp"
#include "dump/input/page_reader.hpp"
#include "dump/input/vmcoreinfo.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <utility>

namespace ballast::dump {

namespace {

constexpr std::uint64_t x86_page_size = 4096;

// A damaged program header can claim memory at an address for which a bitmap takes GBs. No real machine's bitmap is
// larger than its memory, nor than this where there is little memory.
constexpr std::uint64_t any_bitmap = 64 << 20;

std::string_view as_text(std::span<const std::byte> bytes) {
    return {reinterpret_cast<const char *>(bytes.data()), bytes.size()};
}

} // namespace

Core Core::open(const std::string &path) {
    File file(path);
    CoreHeaders headers = read_core_headers(file);
    return {std::move(file), std::move(headers)};
}

Core::Core(File file, CoreHeaders headers)
    : file_(std::move(file)), headers_(std::move(headers)), memory_(headers_.segments) {
    if (headers_.vmcoreinfo.size == 0) {
        throw Error(fmt::format("{}: no VMCOREINFO note: the kernel in this core doesn't describe itself", path()));
    }
    if (memory_.extents().empty()) {
        throw Error(fmt::format("{}: no memory in this core: it has no PT_LOAD with data", path()));
    }
    const auto page_size = Vmcoreinfo(vmcoreinfo()).decimal("PAGESIZE");
    if (page_size != x86_page_size) {
        throw Error(fmt::format("{}: VMCOREINFO tells {} as page size, not {} as on x86-64", path(),
                                page_size ? std::to_string(*page_size) : "nothing", x86_page_size));
    }
    page_size_ = x86_page_size;
    if (max_pfn() / 8 > std::max(file_.size(), any_bitmap)) {
        throw Error(fmt::format("{}: not a core: {} bytes long, but its program headers claim memory up to {:#x}",
                                path(), file_.size(), memory_.extents().back().end));
    }
}

Pfn Core::max_pfn() const {
    return (memory_.extents().back().end + page_size_ - 1) / page_size_;
}

std::string_view Core::vmcoreinfo() const {
    return as_text(notes().subspan(headers_.vmcoreinfo.offset, headers_.vmcoreinfo.size));
}

std::span<const std::byte> Core::prstatus_note() const {
    return notes().subspan(headers_.prstatus.offset, headers_.prstatus.size);
}

Bitmap Core::present() const {
    Bitmap present(max_pfn());
    for (const Extent &extent : memory_.extents()) {
        present.set_range(extent.begin / page_size_, (extent.end + page_size_ - 1) / page_size_);
    }
    return present;
}

Bitmap Core::with_data() const {
    Bitmap with_data(max_pfn());
    for (const Extent &extent : memory_.extents()) {
        if (extent.offset) {
            with_data.set_range(extent.begin / page_size_, extent.end / page_size_);
        }
    }
    return with_data;
}

PageReader Core::reader() const {
    return PageReader(*this);
}

} // namespace ballast::dump
