// SPDX-License-Identifier: GPL-2.0
#pragma once

#include "dump/input/file.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace ballast::dump {

/**
 * A bounded window on a file. It starts small and grows while requests go forward, so that neither scattered pages nor
 * long runs of them cost more than they must.
 *
 * /proc/vmcore is mapped, because reading it maps and unmaps each of its pages. Other files are read: a disk's error is
 * then an error and not a signal, and mapping would save nothing (a page costs about as much to fault in as to copy).
 */
class FileWindow {
  public:
    explicit FileWindow(const File &file);
    FileWindow(const FileWindow &) = delete;
    FileWindow(FileWindow &&other) noexcept;
    FileWindow &operator=(const FileWindow &) = delete;
    FileWindow &operator=(FileWindow &&) = delete;
    ~FileWindow();

    /** The largest request that at() takes whole. */
    static constexpr std::uint64_t largest_request = std::uint64_t{64} * 1024;

    /**
     * The file's bytes [offset, offset + length), valid until the next call. The request lies inside the file and has
     * at most largest_request bytes. Throws Error on a read error.
     */
    std::span<const std::byte> at(std::uint64_t offset, std::uint64_t length);

  private:
    void move_to(std::uint64_t offset, std::uint64_t length);
    [[nodiscard]] std::uint64_t guess(std::uint64_t offset) const;
    bool map(std::uint64_t offset, std::uint64_t size);
    void unmap();

    const File *file_;
    bool mappable_;
    std::uint64_t begin_ = 0; // of the window in the file
    std::uint64_t size_ = 0;
    const std::byte *data_ = nullptr; // the window's bytes: the mapping, or buffer_
    std::byte *mapping_ = nullptr;
    std::vector<std::byte> buffer_;
};

} // namespace ballast::dump
