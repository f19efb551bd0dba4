// SPDX-License-Identifier: GPL-2.0
#pragma once

#include "dump/input/bitmap.hpp"
#include "dump/input/file.hpp"
#include "dump/input/kdump_format.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace ballast::dump {

/** A kdump-compressed file, whole or a part of a split set: its headers, and where its parts are. */
class KdumpFile {
  public:
    /** Throws Error for a damaged or truncated one, and of other machines than x86-64. */
    explicit KdumpFile(File file);

    /** Is it one? */
    static bool is_kdump(const File &file);

    [[nodiscard]] const File &file() const { return file_; }
    [[nodiscard]] const std::string &path() const { return file_.path(); }
    [[nodiscard]] const kdump::DiskDumpHeader &header() const { return header_; }
    [[nodiscard]] const kdump::SubHeader &sub_header() const { return sub_header_; }

    [[nodiscard]] std::uint64_t block_size() const { return static_cast<std::uint64_t>(header_.block_size); }
    [[nodiscard]] Pfn max_mapnr() const { return max_mapnr_; }

    /** The pfns whose descriptors this file has. */
    [[nodiscard]] Pfn begin() const { return begin_; }
    [[nodiscard]] Pfn end() const { return end_; }

    [[nodiscard]] Bitmap present() const;
    [[nodiscard]] Bitmap dumped() const;

    /** Offset of the first page descriptor. */
    [[nodiscard]] std::uint64_t descriptors() const { return descriptors_; }

    /** Bytes of the parts outside of pages. Throws Error where the file doesn't have them. */
    [[nodiscard]] std::vector<std::byte> notes() const;
    [[nodiscard]] std::string vmcoreinfo() const;
    [[nodiscard]] std::string eraseinfo() const;

  private:
    void read_sub_header();
    void check() const;
    [[nodiscard]] Bitmap bitmap(std::uint64_t offset) const;
    [[nodiscard]] std::vector<std::byte> part(const char *what, std::uint64_t offset, std::uint64_t size) const;
    [[nodiscard]] std::string text(const char *what, std::uint64_t offset, std::uint64_t size) const;

    File file_;
    kdump::DiskDumpHeader header_{};
    kdump::SubHeader sub_header_{};
    Pfn max_mapnr_ = 0;
    Pfn begin_ = 0;
    Pfn end_ = 0;
    std::uint64_t bitmaps_ = 0; // offsets in the file
    std::uint64_t bitmap_size_ = 0;
    std::uint64_t descriptors_ = 0;
};

} // namespace ballast::dump
