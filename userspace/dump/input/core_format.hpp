// SPDX-License-Identifier: GPL-2.0
#pragma once

#include "dump/input/bitmap.hpp"
#include "dump/input/kdump_format.hpp"
#include "dump/input/memory_map.hpp"
#include "dump/input/notes.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ballast::dump {

/** A page as a kdump-compressed file has it. */
struct StoredBytes {
    std::span<const std::byte> bytes;
    std::uint32_t flags = 0; // its descriptor's: the codec, or 0
};

/** How a core that is a dump already was made. */
struct DumpOrigin {
    kdump::DiskDumpHeader header{}; // of a split set's first file
    kdump::SubHeader sub_header{};
    bool incomplete = false; // pages are missing that it should have
    std::string eraseinfo{}; // what was erased from it, a line each

    [[nodiscard]] unsigned dump_level() const { return static_cast<unsigned>(sub_header.dump_level); }
    [[nodiscard]] Codec codec() const { return static_cast<Codec>(header.status & kdump::status_codecs); }
};

/** Reads physical memory out of a core of some format, through a bounded window. One for each thread. */
class MemoryReader {
  public:
    MemoryReader() = default;
    MemoryReader(const MemoryReader &) = delete;
    MemoryReader(MemoryReader &&) = delete;
    MemoryReader &operator=(const MemoryReader &) = delete;
    MemoryReader &operator=(MemoryReader &&) = delete;
    virtual ~MemoryReader() = default;

    /**
     * From one up to `wanted` bytes that can be had in one piece, valid until the next call; empty where the core
     * doesn't hold the address. Throws ReadError.
     */
    virtual std::span<const std::byte> view(std::uint64_t physical, std::uint64_t wanted) = 0;

    /**
     * Copies memory from the address on, past the window. How many bytes: 0 where view() is the way, be it for the
     * format, or as the core doesn't hold the address, or as it can't be read.
     */
    virtual std::uint64_t read(std::uint64_t /*physical*/, std::span<std::byte> /*out*/) { return 0; }

    /** The lowest address from this one on that the core holds. */
    [[nodiscard]] virtual std::optional<std::uint64_t> at_or_after(std::uint64_t physical) const = 0;

    /** The page as the file stores it, valid until the next call; none where the format stores pages as they are. */
    virtual std::optional<StoredBytes> stored(Pfn /*pfn*/) { return std::nullopt; }
};

/** What a core of some format says of itself. */
class CoreFormat {
  public:
    CoreFormat() = default;
    CoreFormat(const CoreFormat &) = delete;
    CoreFormat(CoreFormat &&) = delete;
    CoreFormat &operator=(const CoreFormat &) = delete;
    CoreFormat &operator=(CoreFormat &&) = delete;
    virtual ~CoreFormat() = default;

    /** For messages: "ELF", "kdump-compressed". */
    [[nodiscard]] virtual std::string_view name() const = 0;

    [[nodiscard]] virtual const Notes &notes() const = 0;

    /** One past the highest physical address, in bytes; 0: no memory at all. */
    [[nodiscard]] virtual std::uint64_t memory_end() const = 0;

    /** Bytes in the core's files. */
    [[nodiscard]] virtual std::uint64_t file_size() const = 0;

    /** See Core. */
    [[nodiscard]] virtual Bitmap present(std::uint64_t page_size) const = 0;
    [[nodiscard]] virtual Bitmap with_data(std::uint64_t page_size) const = 0;
    [[nodiscard]] virtual std::vector<Segment> segments(std::uint64_t page_size) const = 0;

    [[nodiscard]] virtual std::unique_ptr<MemoryReader> reader() const = 0;

    /** What a reader takes, in bytes. */
    [[nodiscard]] virtual std::uint64_t reader_memory() const = 0;

    /** Of a core that is a dump already. */
    [[nodiscard]] virtual std::optional<DumpOrigin> origin() const { return std::nullopt; }
};

} // namespace ballast::dump
