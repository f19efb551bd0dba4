// SPDX-License-Identifier: GPL-2.0
#include "dump/input/file.hpp"

#include "dump/input/error.hpp"

#include <cerrno>
#include <fcntl.h>
#include <fmt/format.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <system_error>
#include <unistd.h>
#include <utility>

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
        throw Error(fmt::format("{}: can't read a core from it: {}", path_, why));
    }
    size_ = static_cast<std::uint64_t>(status.st_size);
    is_proc_ = system.f_type == PROC_SUPER_MAGIC;
}

File::File(File &&other) noexcept
    : path_(std::move(other.path_)),
      descriptor_(std::exchange(other.descriptor_, -1)),
      size_(other.size_),
      is_proc_(other.is_proc_) {}

File::~File() {
    if (descriptor_ >= 0) {
        ::close(descriptor_);
    }
}

void File::read(std::uint64_t offset, std::span<std::byte> out) const {
    while (!out.empty()) {
        const ssize_t got = ::pread(descriptor_, out.data(), out.size(), static_cast<off_t>(offset));
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            throw Error(
                fmt::format("{}: reading {} bytes at offset {} failed: {}", path_, out.size(), offset, reason(errno)));
        }
        if (got == 0) {
            throw Error(fmt::format("{}: ends at offset {}, {} bytes too early", path_, offset, out.size()));
        }
        offset += static_cast<std::uint64_t>(got);
        out = out.subspan(static_cast<std::size_t>(got));
    }
}

} // namespace ballast::dump
