// SPDX-License-Identifier: GPL-2.0
#pragma once

#include "dump/input/memory_map.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

namespace ballast::dump {

/** A file open for reading. One in the flattened format reads as the file that it stands for. */
class File {
  public:
    /** Throws Error when it can't be opened, is a folder, or is flattened and cut off. */
    explicit File(std::string path);
    File(const File &) = delete;
    File(File &&other) noexcept;
    File &operator=(const File &) = delete;
    File &operator=(File &&other) noexcept;
    ~File();

    [[nodiscard]] const std::string &path() const { return path_; }

    /** Bytes; /proc/vmcore tells its size too. */
    [[nodiscard]] std::uint64_t size() const { return size_; }

    /** For mmap: the descriptor of a file whose content is other memory rather than a disk's (one of procfs). */
    [[nodiscard]] std::optional<int> mappable() const { return is_proc_ ? std::optional(descriptor_) : std::nullopt; }

    [[nodiscard]] bool is_flattened() const { return records_.has_value(); }

    /** Fills `out` from `offset` on. Throws ReadError when the file ends before, or reading fails. */
    void read(std::uint64_t offset, std::span<std::byte> out) const;

    /** Lets mappable() be none. */
    void forbid_mapping() { is_proc_ = false; }

  private:
    void read_stored(std::uint64_t offset, std::span<std::byte> out) const;
    void read_records();

    std::string path_;
    int descriptor_;
    std::uint64_t size_ = 0;
    bool is_proc_ = false;
    std::optional<MemoryMap> records_; // of a flattened file: which of its bytes stand where
};

} // namespace ballast::dump
