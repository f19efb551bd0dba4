// SPDX-License-Identifier: GPL-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace ballast::dump {

/** A file open for reading. */
class File {
  public:
    /** Throws Error when it can't be opened or is a folder. */
    explicit File(std::string path);
    File(const File &) = delete;
    File(File &&other) noexcept;
    File &operator=(const File &) = delete;
    File &operator=(File &&) = delete;
    ~File();

    [[nodiscard]] const std::string &path() const { return path_; }
    [[nodiscard]] int descriptor() const { return descriptor_; }

    /** Bytes; /proc/vmcore tells its size too. */
    [[nodiscard]] std::uint64_t size() const { return size_; }

    /** Is it a file of procfs, whose content is other memory rather than a disk's? */
    [[nodiscard]] bool is_proc() const { return is_proc_; }

    /** Fills `out` from `offset` on. Throws Error when the file ends before, or reading fails. */
    void read(std::uint64_t offset, std::span<std::byte> out) const;

  private:
    std::string path_;
    int descriptor_;
    std::uint64_t size_ = 0;
    bool is_proc_ = false;
};

} // namespace ballast::dump
