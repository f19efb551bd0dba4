// SPDX-License-Identifier: GPL-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace ballast::control {

/** Owns an open file descriptor and closes it. */
class FileDescriptor {
  public:
    explicit FileDescriptor(int fd) noexcept : fd_(fd) {}
    FileDescriptor(FileDescriptor &&other) noexcept;
    FileDescriptor &operator=(FileDescriptor &&other) noexcept;
    FileDescriptor(const FileDescriptor &) = delete;
    FileDescriptor &operator=(const FileDescriptor &) = delete;
    ~FileDescriptor();

    [[nodiscard]] int get() const noexcept { return fd_; }

  private:
    int fd_;
};

/** Opens path with the flags of open(2), O_CLOEXEC added. */
FileDescriptor open_file(const std::filesystem::path &path, int flags);

/** All that an open attribute of sysfs or cgroupfs reads from its beginning. path is for the error's message. */
std::string read_text(const FileDescriptor &file, const std::filesystem::path &path);
/** The content of a file of a pseudo file system. */
std::string read_text(const std::filesystem::path &path);

/** The one unsigned decimal number that an attribute holds, its newline taken off. */
std::uint64_t read_number(const std::filesystem::path &path);

/**
 * The unsigned decimal number that text is, white space around it apart.
 *
 * @param source where text comes from, for the error's message
 */
std::uint64_t parse_number(std::string_view text, std::string_view source);

/** Writes text by one write(2), as attributes want it. */
void write_text(const std::filesystem::path &path, std::string_view text);

} // namespace ballast::control
