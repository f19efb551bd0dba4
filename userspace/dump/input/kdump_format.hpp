// SPDX-License-Identifier: GPL-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

/**
 * The kdump-compressed file format, 64-bit little endian, header version 6. In file order:
 *
 *   disk_dump_header           block 0
 *   kdump_sub_header, notes    from block 1 on, sub_hdr_size blocks
 *   bitmap 1, bitmap 2         half of bitmap_blocks each; bit n, least significant first, is pfn n: present, dumped
 *   page_desc                  one for each bit of bitmap 2, in pfn order, packed
 *   page data                  anywhere: readers know only what the descriptors say
 *
 * Documented in makedumpfile's IMPLEMENTATION file.
 */
namespace ballast::dump {

/** How pages are compressed. The values are the flags of the format, in its header and its page descriptors. */
enum class Codec : std::uint32_t { raw = 0, zlib = 1, lzo = 2, snappy = 4, zstd = 0x20 };

/** Are a page descriptor's flags those of a codec? */
constexpr bool is_codec(std::uint32_t flags) {
    switch (static_cast<Codec>(flags)) {
    case Codec::raw:
    case Codec::zlib:
    case Codec::lzo:
    case Codec::snappy:
    case Codec::zstd:
        return true;
    }
    return false;
}

} // namespace ballast::dump

namespace ballast::dump::kdump {

constexpr std::array<char, 8> signature = {'K', 'D', 'U', 'M', 'P', ' ', ' ', ' '};
constexpr std::int32_t header_version = 6;

/** In disk_dump_header.status, beside the codec's flag: pages are missing that bitmap 2 has. */
constexpr std::uint32_t status_incomplete = 8;

/** The codecs' flags among the status bits. */
constexpr std::uint32_t status_codecs = 0x27;

/**
 * In page_desc.page_flags, which other writers leave zero and readers ignore: the page could not be read when the dump
 * was made, its data here are zeros.
 */
constexpr std::uint64_t page_was_unreadable = std::uint64_t{1} << 63;

struct DiskDumpHeader {
    std::array<char, 8> signature;
    std::int32_t header_version;
    std::array<char, std::size_t{6} * 65> utsname;
    std::array<char, 6> padding;
    std::int64_t timestamp_seconds;
    std::int64_t timestamp_microseconds;
    std::uint32_t status;
    std::int32_t block_size;
    std::int32_t sub_hdr_size;   // in blocks, notes included
    std::uint32_t bitmap_blocks; // both bitmaps
    std::uint32_t max_mapnr;     // saturated; the sub header has it whole
    std::uint32_t total_ram_blocks;
    std::uint32_t device_blocks;
    std::uint32_t written_blocks;
    std::uint32_t current_cpu;
    std::int32_t nr_cpus; // more than 0, or crash warns
};
static_assert(sizeof(DiskDumpHeader) == 464);
static_assert(offsetof(DiskDumpHeader, timestamp_seconds) == 408);
static_assert(offsetof(DiskDumpHeader, status) == 424);
static_assert(offsetof(DiskDumpHeader, nr_cpus) == 460);

struct SubHeader {
    std::uint64_t phys_base;
    std::int32_t dump_level;
    std::int32_t split;
    std::uint64_t start_pfn; // this and the next: superseded by the 64-bit ones below
    std::uint64_t end_pfn;
    std::uint64_t offset_vmcoreinfo; // all offsets are in the file
    std::uint64_t size_vmcoreinfo;
    std::uint64_t offset_note;
    std::uint64_t size_note;
    std::uint64_t offset_eraseinfo;
    std::uint64_t size_eraseinfo;
    std::uint64_t start_pfn_64;
    std::uint64_t end_pfn_64;
    std::uint64_t max_mapnr_64;
};
static_assert(sizeof(SubHeader) == 104);
static_assert(offsetof(SubHeader, offset_vmcoreinfo) == 32);
static_assert(offsetof(SubHeader, max_mapnr_64) == 96);

/** Where a page is. All zeros: lost. */
struct PageDescriptor {
    std::uint64_t offset = 0;
    std::uint32_t size = 0;
    std::uint32_t flags = 0; // the codec's; 0: as it is, size being the block size
    std::uint64_t page_flags = 0;
};
static_assert(sizeof(PageDescriptor) == 24);

} // namespace ballast::dump::kdump
