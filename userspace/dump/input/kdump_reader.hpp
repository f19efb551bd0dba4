// SPDX-License-Identifier: GPL-2.0
#pragma once

#include "dump/input/core_format.hpp"
#include "dump/input/file_window.hpp"
#include "dump/input/inflater.hpp"
#include "dump/input/kdump_core.hpp"
#include "dump/input/kdump_format.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace ballast::dump {

/** Reads pages out of a kdump-compressed dump. It keeps the few that it inflated last. */
class KdumpReader final : public MemoryReader {
  public:
    explicit KdumpReader(const KdumpCore &core);

    std::span<const std::byte> view(std::uint64_t physical, std::uint64_t wanted) override;
    [[nodiscard]] std::optional<std::uint64_t> at_or_after(std::uint64_t physical) const override;
    std::optional<StoredBytes> stored(Pfn pfn) override;

    /** What it takes, in bytes. */
    static std::uint64_t memory();

    /** Where a descriptor says that its page is. Throws ReadError for one that can't be. */
    kdump::PageDescriptor descriptor(const KdumpCore::Place &place, Pfn pfn);

  private:
    struct CachedPage {
        const KdumpFile *file = nullptr; // none: empty
        std::uint64_t offset = 0;        // in the file, of what was inflated
        std::uint64_t used = 0;          // when, in calls
        std::vector<std::byte> bytes;
    };
    std::span<const std::byte> page(const KdumpCore::Place &place, Pfn pfn);
    std::span<const std::byte> stored_bytes(const KdumpCore::Place &place, const kdump::PageDescriptor &descriptor);
    void read_descriptors(const KdumpCore::Place &place);

    const KdumpCore *core_;
    std::optional<FileWindow> window_; // on the data of the file last used
    const KdumpFile *window_on_ = nullptr;
    Inflater inflater_;
    std::array<CachedPage, 8> cache_;
    std::uint64_t calls_ = 0;

    std::vector<kdump::PageDescriptor> descriptors_; // of one file, those from first_descriptor_ on
    const KdumpFile *descriptors_of_ = nullptr;
    std::uint64_t first_descriptor_ = 0;
};

} // namespace ballast::dump
