// SPDX-License-Identifier: GPL-2.0
#include "dump/input/elf_core.hpp"

#include "dump/input/error.hpp"
#include "dump/input/file_window.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace ballast::dump {

namespace {

constexpr std::array<std::byte, 4096> zeros{};

class ElfReader final : public MemoryReader {
  public:
    ElfReader(const MemoryMap &memory, const File &file) : memory_(&memory), file_(&file), window_(file) {}

    std::span<const std::byte> view(std::uint64_t physical, std::uint64_t wanted) override {
        if (!find(physical)) {
            return {};
        }
        const std::uint64_t length = std::min({wanted, extent_->end - physical, FileWindow::largest_request});
        if (!extent_->offset) {
            return std::span(zeros).first(std::min<std::uint64_t>(length, zeros.size()));
        }
        return window_.at(*extent_->offset + (physical - extent_->begin), length);
    }

    /** Not of /proc/vmcore, which is mapped. */
    std::uint64_t read(std::uint64_t physical, std::span<std::byte> out) override {
        if (file_->mappable() || !find(physical) || !extent_->offset) {
            return 0;
        }
        const auto part = out.first(std::min(out.size(), extent_->end - physical));
        try {
            file_->read(*extent_->offset + (physical - extent_->begin), part);
        } catch (const ReadError &) {
            return 0; // one of its pages, maybe: view() tells which
        }
        return part.size();
    }

    [[nodiscard]] std::optional<std::uint64_t> at_or_after(std::uint64_t physical) const override {
        const Extent *extent = memory_->at_or_after(physical);
        return extent == nullptr ? std::nullopt : std::optional(std::max(physical, extent->begin));
    }

  private:
    /** Lets extent_ be the one that holds the address; false where none does. */
    bool find(std::uint64_t physical) {
        if (extent_ == nullptr || physical < extent_->begin || physical >= extent_->end) {
            extent_ = memory_->at_or_after(physical);
        }
        return extent_ != nullptr && physical >= extent_->begin;
    }

    const MemoryMap *memory_;
    const Extent *extent_ = nullptr; // the one last used
    const File *file_;
    FileWindow window_;
};

} // namespace

ElfCore::ElfCore(File file) : file_(std::move(file)), headers_(read_elf_headers(file_)), memory_(headers_.segments) {}

std::uint64_t ElfCore::memory_end() const {
    return memory_.extents().empty() ? 0 : memory_.extents().back().end;
}

Bitmap ElfCore::present(std::uint64_t page_size) const {
    Bitmap present((memory_end() + page_size - 1) / page_size);
    for (const Extent &extent : memory_.extents()) {
        present.set_range(extent.begin / page_size, (extent.end + page_size - 1) / page_size);
    }
    return present;
}

Bitmap ElfCore::with_data(std::uint64_t page_size) const {
    Bitmap with_data((memory_end() + page_size - 1) / page_size);
    for (const Extent &extent : memory_.extents()) {
        if (extent.offset) {
            with_data.set_range(extent.begin / page_size, extent.end / page_size);
        }
    }
    return with_data;
}

std::unique_ptr<MemoryReader> ElfCore::reader() const {
    return std::make_unique<ElfReader>(memory_, file_);
}

std::uint64_t ElfCore::reader_memory() const {
    return FileWindow::largest_request;
}

} // namespace ballast::dump
