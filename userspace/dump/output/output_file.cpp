// SPDX-License-Identifier: GPL-2.0
#include "dump/output/output_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <system_error>
#include <utility>

namespace ballast::dump {

namespace {

std::string reason(int error) {
    return std::generic_category().message(error);
}

/** One more for as long as it lives. */
class Counted {
  public:
    explicit Counted(std::atomic<unsigned> &count) : count_(&count) { count.fetch_add(1, std::memory_order_relaxed); }
    Counted(const Counted &) = delete;
    Counted(Counted &&) = delete;
    Counted &operator=(const Counted &) = delete;
    Counted &operator=(Counted &&) = delete;
    ~Counted() { count_->fetch_sub(1, std::memory_order_relaxed); }

  private:
    std::atomic<unsigned> *count_;
};

bool same_file(const struct stat &a, const struct stat &b) {
    return a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

// What OutputFile::write_some() returns at its own limit, which no call fails with here.
constexpr int beyond_limit = ERANGE;

void check_existing(const std::string &path, bool overwrite, std::span<const std::string> cores,
                    const struct stat &existing) {
    for (const std::string &path_of_core : cores) {
        struct stat core {};
        if (stat(path_of_core.c_str(), &core) == 0 && same_file(existing, core)) {
            throw Error(fmt::format("{} is the vmcore itself: give another DUMPFILE", path));
        }
    }
    if (!overwrite) {
        throw Error(fmt::format("{} exists: give another DUMPFILE, or -f to overwrite it", path));
    }
    if (S_ISDIR(existing.st_mode)) {
        throw Error(fmt::format("Can't create {}: {}", path, reason(EISDIR)));
    }
    if (access(path.c_str(), W_OK) != 0) {
        throw Error(fmt::format("Can't overwrite {}: {}", path, reason(errno)));
    }
}

} // namespace

void check_output(const std::string &path, bool overwrite, std::span<const std::string> cores) {
    struct stat existing {};
    if (stat(path.c_str(), &existing) == 0) {
        check_existing(path, overwrite, cores, existing);
        return;
    }
    if (errno != ENOENT) {
        throw Error(fmt::format("Can't create {}: {}", path, reason(errno)));
    }
    const std::filesystem::path file(path);
    const std::filesystem::path folder = file.has_parent_path() ? file.parent_path() : ".";
    if (access(folder.c_str(), W_OK | X_OK) != 0) {
        throw Error(fmt::format("Can't create {}: {}: {}", path, folder.string(), reason(errno)));
    }
}

OutputFile::OutputFile(std::string path, bool overwrite, std::uint64_t size_limit)
    : path_(std::move(path)),
      size_limit_(size_limit),
      fd_(open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | (overwrite ? O_TRUNC : O_EXCL), S_IRUSR | S_IWUSR)) {
    if (fd_ < 0) {
        throw Error(fmt::format("Can't create {}: {}", path_, reason(errno)));
    }
    struct stat status {};
    is_regular_ = fstat(fd_, &status) == 0 && S_ISREG(status.st_mode);
}

OutputFile::~OutputFile() {
    if (fd_ >= 0) {
        extend_over_holes();
        ::close(fd_);
    }
}

void OutputFile::reserve(std::uint64_t size) {
    if (size > size_limit_) {
        fail(beyond_limit);
    }
    const auto length = static_cast<off_t>(size);
    if (fallocate(fd_, 0, 0, length) == 0) {
        return;
    }
    // No such operation on this file system, or no such space: then the hole must do. Where even that fails, the first
    // write tells.
    [[maybe_unused]] const int ignored = ftruncate(fd_, length);
}

Written OutputFile::write_some(std::uint64_t offset, std::span<const std::byte> bytes) {
    const std::uint64_t room = size_limit_ - std::min(size_limit_, offset);
    const auto allowed = bytes.first(std::min<std::uint64_t>(bytes.size(), room));
    Written written;
    const Counted writer(writers_);
    while (written.bytes < allowed.size()) {
        const auto rest = allowed.subspan(written.bytes);
        const ssize_t n = pwrite(fd_, rest.data(), rest.size(), static_cast<off_t>(offset + written.bytes));
        if (n > 0) {
            written.bytes += static_cast<std::size_t>(n);
        } else if (n == 0 || errno != EINTR) {
            written.error = n == 0 ? ENOSPC : errno;
            return written;
        }
    }
    if (allowed.size() < bytes.size()) {
        written.error = beyond_limit;
    }
    return written;
}

Written OutputFile::leave_hole(std::uint64_t offset, std::uint64_t size) {
    const std::uint64_t room = size_limit_ - std::min(size_limit_, offset);
    const std::uint64_t length = std::min(size, room);
    // One that begins beyond the limit must not make the file longer either.
    const std::uint64_t end = length > 0 ? offset + length : 0;
    std::uint64_t seen = holes_end_.load(std::memory_order_relaxed);
    while (seen < end && !holes_end_.compare_exchange_weak(seen, end, std::memory_order_relaxed)) {
    }
    return {.bytes = length, .error = length < size ? beyond_limit : 0};
}

void OutputFile::extend_over_holes() const {
    struct stat status {};
    const auto end = static_cast<off_t>(holes_end_.load(std::memory_order_relaxed));
    if (fstat(fd_, &status) == 0 && status.st_size < end) {
        // What fails here fails for want of a file system, which the next call tells of too.
        [[maybe_unused]] const int ignored = ftruncate(fd_, end);
    }
}

void OutputFile::close() {
    extend_over_holes();
    if (::close(std::exchange(fd_, -1)) != 0) {
        fail(errno);
    }
}

void OutputFile::fail(int error) const {
    if (error == beyond_limit) {
        throw DiskFull(fmt::format("{} would exceed the limit of {} bytes (-L)", path_, size_limit_));
    }
    const std::string message = fmt::format("Can't write {}: {}", path_, reason(error));
    if (error == ENOSPC || error == EDQUOT || error == EFBIG) {
        throw DiskFull(message);
    }
    throw Error(message);
}

} // namespace ballast::dump
