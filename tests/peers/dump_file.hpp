// SPDX-License-Identifier: GPL-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace ballast::peers {

/** The status bit of a dump that was cut short. */
constexpr std::uint32_t status_incomplete = 8;

/** What the headers of a kdump-compressed file say: disk_dump_header and kdump_sub_header. */
struct DumpHeader {
    std::int32_t version = 0;
    std::string release;
    std::string machine;
    std::uint32_t status = 0;
    std::uint64_t block_size = 0; /**< bytes; also the page size */
    std::uint64_t sub_header_blocks = 0;
    std::uint64_t bitmap_blocks = 0; /**< of both bitmaps */
    std::int32_t cpus = 0;
    std::uint64_t phys_base = 0;
    std::uint32_t dump_level = 0;
    std::uint64_t start_pfn = 0; /**< the first page of a split dump's file */
    std::uint64_t max_pfn = 0;   /**< one past the highest pfn */
    std::uint64_t vmcoreinfo_offset = 0;
    std::uint64_t vmcoreinfo_size = 0;
    std::uint64_t note_offset = 0;
    std::uint64_t note_size = 0;
};

/** Where a page's bytes stand in the file: page_desc. */
struct PageDescriptor {
    std::uint64_t offset = 0;
    std::uint32_t size = 0;
    std::uint32_t flags = 0;
};

/**
 * A 64-bit little-endian kdump-compressed file, mapped. It is read here by code that shares nothing with pmakedumpfile
 * nor with libkdumpfile, so that a mistake made twice in the same way does not pass. Layout: makedumpfile's
 * IMPLEMENTATION and diskdump_mod.h.
 */
class DumpFile {
  public:
    /** Throws std::runtime_error where the file can't be read, is no such dump, or is too short for its own bitmaps. */
    explicit DumpFile(const std::string &path);
    DumpFile(const DumpFile &) = delete;
    DumpFile &operator=(const DumpFile &) = delete;
    DumpFile(DumpFile &&) = delete;
    DumpFile &operator=(DumpFile &&) = delete;
    ~DumpFile();

    [[nodiscard]] const DumpHeader &header() const { return header_; }
    [[nodiscard]] std::uint64_t bytes() const { return content_.size(); }
    [[nodiscard]] std::string_view vmcoreinfo() const;

    /** Whether the page was in the machine's memory: bitmap 1. False beyond max_pfn. */
    [[nodiscard]] bool present(std::uint64_t pfn) const;
    /** Whether the page is in the dump: bitmap 2. False beyond max_pfn. */
    [[nodiscard]] bool dumped(std::uint64_t pfn) const;
    [[nodiscard]] std::uint64_t present_count() const;
    [[nodiscard]] std::uint64_t dumped_count() const;

    /** The descriptor of the nth dumped page. Throws std::runtime_error where the file ends before it. */
    [[nodiscard]] PageDescriptor descriptor(std::uint64_t n) const;
    /** The page's bytes as stored. Throws std::runtime_error where the file ends before them. */
    [[nodiscard]] std::span<const std::byte> stored(const PageDescriptor &descriptor) const;

  private:
    [[nodiscard]] std::span<const std::byte> part(std::uint64_t offset, std::uint64_t size,
                                                  std::string_view what) const;
    void read_header();

    std::string path_;
    std::span<const std::byte> content_;
    DumpHeader header_;
    std::span<const std::byte> present_;
    std::span<const std::byte> dumped_;
};

} // namespace ballast::peers
