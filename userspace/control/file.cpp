// SPDX-License-Identifier: GPL-2.0
#include "control/file.hpp"

#include <array>
#include <cerrno>
#include <charconv>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include "control/error.hpp"

namespace ballast::control {
namespace {

[[noreturn]] void fail(std::string_view action, const std::filesystem::path &path, int error_number) {
    throw Error(static_cast<std::errc>(error_number),
                fmt::format("cannot {} {}: {}", action, path.native(), describe(error_number)));
}

} // namespace

FileDescriptor::FileDescriptor(FileDescriptor &&other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

FileDescriptor &FileDescriptor::operator=(FileDescriptor &&other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
}

FileDescriptor::~FileDescriptor() {
    if (fd_ >= 0) {
        close(fd_);
    }
}

FileDescriptor open_file(const std::filesystem::path &path, int flags) {
    const int fd = open(path.c_str(), flags | O_CLOEXEC);
    if (fd < 0) {
        fail("open", path, errno);
    }
    return FileDescriptor(fd);
}

std::string read_text(const FileDescriptor &file, const std::filesystem::path &path) {
    std::string text;
    std::array<char, 4096> part{};
    while (true) {
        const ssize_t length = pread(file.get(), part.data(), part.size(), static_cast<off_t>(text.size()));
        if (length == 0) {
            return text;
        }
        if (length < 0 && errno != EINTR) {
            fail("read", path, errno);
        }
        if (length > 0) {
            text.append(part.data(), static_cast<std::size_t>(length));
        }
    }
}

std::string read_text(const std::filesystem::path &path) {
    return read_text(open_file(path, O_RDONLY), path);
}

std::uint64_t parse_number(std::string_view text, std::string_view source) {
    constexpr std::string_view white_space = " \t\n";
    const auto begin = text.find_first_not_of(white_space);
    const auto end = text.find_last_not_of(white_space);
    const std::string_view digits = begin == std::string_view::npos ? "" : text.substr(begin, end - begin + 1);
    std::uint64_t number = 0;
    const auto [stop, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    if (error != std::errc{} || stop != digits.data() + digits.size()) {
        throw Error(std::errc::invalid_argument, fmt::format("{}: '{}' is not a number", source, digits));
    }
    return number;
}

std::uint64_t read_number(const std::filesystem::path &path) {
    return parse_number(read_text(path), path.native());
}

void write_text(const std::filesystem::path &path, std::string_view text) {
    const FileDescriptor file = open_file(path, O_WRONLY);
    const ssize_t length = write(file.get(), text.data(), text.size());
    if (length < 0) {
        fail("write", path, errno);
    }
    if (static_cast<std::size_t>(length) != text.size()) {
        fail("write all of", path, EIO);
    }
}

} // namespace ballast::control
