// SPDX-License-Identifier: GPL-2.0
#pragma once

#include "dump/input/core_format.hpp"
#include "dump/input/kdump_file.hpp"
#include "dump/input/rank_index.hpp"

#include <memory>
#include <span>
#include <vector>

namespace ballast::dump {

/** A kdump-compressed dump, in one file or in a split set of them. */
class KdumpCore final : public CoreFormat {
  public:
    /** In any order. Throws Error for files that don't belong together, or lack a part of the set unless `partial`. */
    KdumpCore(std::vector<File> files, bool partial);

    [[nodiscard]] std::string_view name() const override { return "kdump-compressed"; }
    [[nodiscard]] const Notes &notes() const override { return notes_; }
    [[nodiscard]] std::uint64_t memory_end() const override { return present_.size() * files_.front().block_size(); }
    [[nodiscard]] std::uint64_t file_size() const override;
    [[nodiscard]] Bitmap present(std::uint64_t /*page_size*/) const override { return present_; }
    [[nodiscard]] Bitmap with_data(std::uint64_t /*page_size*/) const override { return dumped_; }
    [[nodiscard]] std::vector<Segment> segments(std::uint64_t page_size) const override;
    [[nodiscard]] std::unique_ptr<MemoryReader> reader() const override;
    [[nodiscard]] std::uint64_t reader_memory() const override;
    [[nodiscard]] std::optional<DumpOrigin> origin() const override;

    /** Where a page is. */
    struct Place {
        const KdumpFile *file = nullptr;
        std::uint64_t rank = 0; // of its descriptor among the file's
    };

    /** None where the page isn't in the dump. */
    [[nodiscard]] std::optional<Place> find(Pfn pfn) const;

    [[nodiscard]] const Bitmap &dumped() const { return dumped_; }

    /** Sorted by the pfns that they have. */
    [[nodiscard]] std::span<const KdumpFile> files() const { return files_; }

    /** How many descriptors one of the files has. */
    [[nodiscard]] std::uint64_t descriptors(const KdumpFile &file) const;

  private:
    void check_set(bool partial) const;

    std::vector<KdumpFile> files_;
    Bitmap present_;
    Bitmap dumped_;
    RankIndex ranks_; // of dumped_
    Notes notes_;
};

} // namespace ballast::dump
