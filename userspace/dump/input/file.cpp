// SPDX-License-Identifier: GPL-2.0
#include "dump/input/file.hpp"

#include "dump/input/error.hpp"
#include "dump/input/flattened.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <fcntl.h>
#include <fmt/format.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <system_error>
#include <unistd.h>
#include <utility>
#include <vector>

namespace ballast::dump {

namespace {

std::string reason(int error) {
    return std::generic_category().message(error);
}

} // namespace

// Nonblocking, so that a pipe is refused below rather than waited for here.
File::File(std::string path)
    : path_(std::move(path)), descriptor_(::open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {
    if (descriptor_ < 0) {
        throw Error(fmt::format("{}: can't open it: {}", path_, reason(errno)));
    }
    struct stat status {};
    struct statfs system {};
    const bool known = ::fstat(descriptor_, &status) == 0 && ::fstatfs(descriptor_, &system) == 0;
    if (!known || !S_ISREG(status.st_mode)) {
        const std::string why = known ? "not a regular file" : reason(errno);
        ::close(descriptor_);
        throw Error(fmt::format("{}: can't read it: {}", path_, why));
    }
    size_ = static_cast<std::uint64_t>(status.st_size);
    is_proc_ = system.f_type == PROC_SUPER_MAGIC;
    try {
        read_records();
    } catch (...) {
        ::close(descriptor_);
        throw;
    }
}

File::File(File &&other) noexcept
    : path_(std::move(other.path_)),
      descriptor_(std::exchange(other.descriptor_, -1)),
      size_(other.size_),
      is_proc_(other.is_proc_),
      records_(std::move(other.records_)) {}

File &File::operator=(File &&other) noexcept {
    std::swap(path_, other.path_);
    std::swap(descriptor_, other.descriptor_);
    std::swap(size_, other.size_);
    std::swap(is_proc_, other.is_proc_);
    std::swap(records_, other.records_);
    return *this;
}

File::~File() {
    if (descriptor_ >= 0) {
        ::close(descriptor_);
    }
}

/** Finds out whether the file is flattened, and where its records are. */
void File::read_records() {
    std::array<std::byte, flattened::signature.size()> beginning{};
    if (is_proc_ || size_ < flattened::header_size) {
        return;
    }
    read_stored(0, beginning);
    if (!flattened::is_header(beginning)) {
        return;
    }
    std::vector<Segment> records;
    std::uint64_t end = 0; // of the file that this one stands for
    std::uint64_t at = flattened::header_size;
    for (;;) {
        std::array<std::byte, flattened::record_size> bytes{};
        if (at + bytes.size() > size_) {
            throw Error(
                fmt::format("{}: truncated: a flattened file without its end; -R restores what there is", path_));
        }
        read_stored(at, bytes);
        at += bytes.size();
        const flattened::Record record = flattened::decode(bytes);
        if (record == flattened::end_mark) {
            break;
        }
        flattened::check(record, path_);
        const auto offset = static_cast<std::uint64_t>(record.offset);
        const auto length = static_cast<std::uint64_t>(record.size);
        records.push_back({.physical = offset, .memory_size = length, .file_size = length, .offset = at});
        end = std::max(end, offset + length);
        at += length;
    }
    // Of bytes that were written twice the last ones count; of segments the first.
    std::ranges::reverse(records);
    records_.emplace(records);
    size_ = end;
}

void File::read(std::uint64_t offset, std::span<std::byte> out) const {
    if (!records_) {
        read_stored(offset, out);
        return;
    }
    if (out.size() > size_ || offset > size_ - out.size()) {
        throw ReadError(
            fmt::format("{}: ends at offset {}, {} bytes too early", path_, size_, offset + out.size() - size_));
    }
    while (!out.empty()) {
        const Extent *extent = records_->at_or_after(offset);
        const bool hole = extent == nullptr || extent->begin > offset;
        const std::uint64_t end = extent == nullptr ? size_ : hole ? extent->begin : extent->end;
        const auto piece = out.first(std::min<std::uint64_t>(out.size(), end - offset));
        if (hole) {
            std::ranges::fill(piece, std::byte{0});
        } else {
            read_stored(*extent->offset + (offset - extent->begin), piece);
        }
        offset += piece.size();
        out = out.subspan(piece.size());
    }
}

void File::read_stored(std::uint64_t offset, std::span<std::byte> out) const {
    while (!out.empty()) {
        const ssize_t got = ::pread(descriptor_, out.data(), out.size(), static_cast<off_t>(offset));
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            throw ReadError(
                fmt::format("{}: reading {} bytes at offset {} failed: {}", path_, out.size(), offset, reason(errno)));
        }
        if (got == 0) {
            throw ReadError(fmt::format("{}: ends at offset {}, {} bytes too early", path_, offset, out.size()));
        }
        offset += static_cast<std::uint64_t>(got);
        out = out.subspan(static_cast<std::size_t>(got));
    }
}

} // namespace ballast::dump
