// SPDX-License-Identifier: GPL-2.0
#include "dump/input/file_window.hpp"

#include "dump/input/error.hpp"

#include <algorithm>
#include <sys/mman.h>
#include <utility>

namespace ballast::dump {

namespace {

struct Sizes {
    std::uint64_t smallest;
    std::uint64_t largest;
};

constexpr Sizes read_sizes{std::uint64_t{4} * 1024, FileWindow::largest_request};

// Unmapping interrupts the other CPUs, so a mapping is worth more than a page. The kernel fills in all of it at once,
// and counts none of it as ours: those are the dead kernel's pages.
constexpr Sizes map_sizes{std::uint64_t{256} * 1024, std::uint64_t{4} * 1024 * 1024};

constexpr std::uint64_t map_alignment = 4096;

} // namespace

FileWindow::FileWindow(const File &file) : file_(&file), mappable_(file.mappable().has_value()) {}

FileWindow::FileWindow(FileWindow &&other) noexcept
    : file_(other.file_),
      mappable_(other.mappable_),
      begin_(other.begin_),
      size_(std::exchange(other.size_, 0)),
      data_(other.data_),
      mapping_(std::exchange(other.mapping_, nullptr)),
      buffer_(std::move(other.buffer_)) {}

FileWindow::~FileWindow() {
    unmap();
}

std::span<const std::byte> FileWindow::at(std::uint64_t offset, std::uint64_t length) {
    if (offset < begin_ || offset + length > begin_ + size_) {
        move_to(offset, length);
    }
    return {data_ + (offset - begin_), length};
}

/** How large a window at this offset is worth it. */
std::uint64_t FileWindow::guess(std::uint64_t offset) const {
    const Sizes sizes = mappable_ ? map_sizes : read_sizes;
    const bool forward = size_ != 0 && offset >= begin_ && offset - begin_ <= 2 * size_;
    return forward ? std::min(2 * size_, sizes.largest) : sizes.smallest;
}

void FileWindow::move_to(std::uint64_t offset, std::uint64_t length) {
    const std::uint64_t size = std::min(std::max(guess(offset), length), file_->size() - offset);

    if (mappable_ && map(offset, size)) {
        return;
    }
    size_ = 0; // nothing is there if reading fails
    buffer_.resize(read_sizes.largest);
    data_ = buffer_.data();
    begin_ = offset;
    const std::span<std::byte> whole = std::span(buffer_).first(std::min(size, read_sizes.largest));
    try {
        file_->read(offset, whole);
        size_ = whole.size();
    } catch (const Error &) {
        // What lies beyond the request may be what can't be read.
        file_->read(offset, whole.first(length));
        size_ = length;
    }
}

bool FileWindow::map(std::uint64_t offset, std::uint64_t size) {
    unmap();
    const std::uint64_t begin = offset / map_alignment * map_alignment;
    size += offset - begin;
    void *mapping = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, *file_->mappable(), static_cast<off_t>(begin));
    if (mapping == MAP_FAILED) {
        mappable_ = false;
        return false;
    }
    mapping_ = static_cast<std::byte *>(mapping);
    data_ = mapping_;
    begin_ = begin;
    size_ = size;
    return true;
}

void FileWindow::unmap() {
    if (mapping_ != nullptr) {
        ::munmap(mapping_, size_);
        mapping_ = nullptr;
        size_ = 0;
    }
}

} // namespace ballast::dump
