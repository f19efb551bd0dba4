// SPDX-License-Identifier: GPL-2.0
#include "dump_file.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <stdexcept>
#include <sys/mman.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

namespace ballast::peers {

namespace {

constexpr std::uint64_t disk_dump_header_size = 464;
constexpr std::uint64_t sub_header_size = 104;
constexpr std::uint64_t descriptor_size = 24;
constexpr std::string_view signature = "KDUMP   ";

template<typename T>
T value_at(std::span<const std::byte> bytes, std::uint64_t offset) {
    T value = 0;
    std::memcpy(&value, bytes.subspan(offset).data(), sizeof(value));
    return value;
}

std::string_view text(std::span<const std::byte> bytes) {
    return {reinterpret_cast<const char *>(bytes.data()), bytes.size()};
}

std::string utsname_field(std::span<const std::byte> header, unsigned n) {
    constexpr std::uint64_t utsname_offset = 12;
    constexpr std::uint64_t field_size = 65;
    const std::string_view field = text(header.subspan(utsname_offset + n * field_size, field_size));
    return std::string(field.substr(0, field.find('\0')));
}

std::span<const std::byte> map_file(const std::string &path) {
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        throw std::system_error(errno, std::generic_category(), path);
    }
    struct stat status = {};
    void *mapped = MAP_FAILED;
    if (::fstat(fd, &status) == 0 && status.st_size > 0) {
        mapped = ::mmap(nullptr, static_cast<std::size_t>(status.st_size), PROT_READ, MAP_SHARED, fd, 0);
    }
    ::close(fd);
    if (mapped == MAP_FAILED) {
        throw std::runtime_error(path + ": empty, or it can't be mapped");
    }
    return {static_cast<const std::byte *>(mapped), static_cast<std::size_t>(status.st_size)};
}

bool bit(std::span<const std::byte> bitmap, std::uint64_t n) {
    return n / 8 < bitmap.size() && ((std::to_integer<unsigned>(bitmap[n / 8]) >> (n % 8)) & 1U) != 0;
}

std::uint64_t count_bits(std::span<const std::byte> bitmap) {
    std::uint64_t count = 0;
    for (const std::byte byte : bitmap) {
        count += static_cast<std::uint64_t>(std::popcount(std::to_integer<unsigned>(byte)));
    }
    return count;
}

} // namespace

DumpFile::DumpFile(const std::string &path) : path_(path), content_(map_file(path)) {
    read_header();
    const std::uint64_t bitmap_size = header_.bitmap_blocks / 2 * header_.block_size;
    const std::uint64_t bitmaps = (1 + header_.sub_header_blocks) * header_.block_size;
    if (header_.max_pfn > bitmap_size * 8) {
        throw std::runtime_error(
            fmt::format("{}: bitmaps of {} bytes hold no {} pages", path_, bitmap_size, header_.max_pfn));
    }
    present_ = part(bitmaps, bitmap_size, "bitmap 1");
    dumped_ = part(bitmaps + bitmap_size, bitmap_size, "bitmap 2");
}

DumpFile::~DumpFile() {
    ::munmap(const_cast<std::byte *>(content_.data()), content_.size());
}

void DumpFile::read_header() {
    const auto header = part(0, disk_dump_header_size, "header");
    if (text(header.first(signature.size())) != signature) {
        throw std::runtime_error(path_ + ": no kdump-compressed file");
    }
    header_.version = value_at<std::int32_t>(header, 8);
    header_.release = utsname_field(header, 2);
    header_.machine = utsname_field(header, 4);
    header_.status = value_at<std::uint32_t>(header, 424);
    header_.block_size = value_at<std::uint32_t>(header, 428);
    header_.sub_header_blocks = value_at<std::uint32_t>(header, 432);
    header_.bitmap_blocks = value_at<std::uint32_t>(header, 436);
    header_.cpus = value_at<std::int32_t>(header, 460);
    if (header_.version != 6 || header_.block_size == 0) {
        throw std::runtime_error(
            fmt::format("{}: header version {}, block size {}", path_, header_.version, header_.block_size));
    }

    const auto sub_header = part(header_.block_size, sub_header_size, "sub header");
    header_.phys_base = value_at<std::uint64_t>(sub_header, 0);
    header_.dump_level = value_at<std::uint32_t>(sub_header, 8);
    header_.vmcoreinfo_offset = value_at<std::uint64_t>(sub_header, 32);
    header_.vmcoreinfo_size = value_at<std::uint64_t>(sub_header, 40);
    header_.note_offset = value_at<std::uint64_t>(sub_header, 48);
    header_.note_size = value_at<std::uint64_t>(sub_header, 56);
    header_.start_pfn = value_at<std::uint64_t>(sub_header, 80);
    header_.max_pfn = value_at<std::uint64_t>(sub_header, 96);
}

std::span<const std::byte> DumpFile::part(std::uint64_t offset, std::uint64_t size, std::string_view what) const {
    if (offset > content_.size() || size > content_.size() - offset) {
        throw std::runtime_error(
            fmt::format("{}: {} bytes long, but {} takes {} bytes at {}", path_, content_.size(), what, size, offset));
    }
    return content_.subspan(offset, size);
}

std::string_view DumpFile::vmcoreinfo() const {
    return text(part(header_.vmcoreinfo_offset, header_.vmcoreinfo_size, "vmcoreinfo"));
}

bool DumpFile::present(std::uint64_t pfn) const {
    return bit(present_, pfn);
}

bool DumpFile::dumped(std::uint64_t pfn) const {
    return bit(dumped_, pfn);
}

std::uint64_t DumpFile::present_count() const {
    return count_bits(present_);
}

std::uint64_t DumpFile::dumped_count() const {
    return count_bits(dumped_);
}

PageDescriptor DumpFile::descriptor(std::uint64_t n) const {
    const std::uint64_t table = (1 + header_.sub_header_blocks + header_.bitmap_blocks) * header_.block_size;
    const auto bytes = part(table + n * descriptor_size, descriptor_size, fmt::format("page descriptor {}", n));
    return {.offset = value_at<std::uint64_t>(bytes, 0),
            .size = value_at<std::uint32_t>(bytes, 8),
            .flags = value_at<std::uint32_t>(bytes, 12)};
}

std::span<const std::byte> DumpFile::stored(const PageDescriptor &descriptor) const {
    return part(descriptor.offset, descriptor.size, "a page");
}

} // namespace ballast::peers
