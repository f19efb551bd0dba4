// SPDX-License-Identifier: GPL-2.0
#pragma once

#include "dump/compress/compressor.hpp"
#include "dump/input/kdump_format.hpp"
#include "dump/input/page_reader.hpp"
#include "dump/output/chunk_plan.hpp"
#include "dump/output/copy_job.hpp"
#include "dump/output/same_pages.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace ballast::dump {

/** How much of a chunk is in the file. */
struct SavedChunk {
    std::uint64_t pages = 0;      // with their descriptors
    std::uint64_t zero_pages = 0; // of these, that share the one copy
    std::uint64_t same_pages = 0; // of these, that share another page's data
    std::uint64_t written = 0;    // bytes of data
    int error = 0;                // the errno of what stopped it before all were
};

/** A page that could not be read, and why. */
struct UnreadablePage {
    Pfn pfn = 0;
    std::string reason;
    bool lost = false; // a dump should have it
};

/** One thread's part of a copy job: reads and compresses a chunk, then, told its place, writes it. Allocates only at
 * the start. */
class ChunkCopier {
  public:
    explicit ChunkCopier(const CopyJob &job);

    /** Most pages in a chunk. */
    static std::uint64_t chunk_pages(std::uint64_t page_size);

    /** What a copier takes, in bytes, its thread's stack included. */
    static std::uint64_t memory(const Compression &compression, const Core &core);

    /** Reads and compresses the chunk. Its size in the file, in bytes. */
    std::uint64_t fill(const CopyPart &part, const Chunk &chunk);

    /** Lets pages of the chunk share the data of pages with the same content, those before them and those in known;
     * adds its own to known, as the chunk will be at the offset. Its size then. */
    std::uint64_t share(const Chunk &chunk, std::uint64_t offset, SamePages &known);

    /** Writes the chunk that fill() took: its data to the offset, then the descriptors of all pages whose data got
     * there. */
    SavedChunk save(const CopyPart &part, const Chunk &chunk, std::uint64_t offset);

    /** The pages of the chunk that fill() could not read: zeros stand for them. */
    [[nodiscard]] std::span<const UnreadablePage> unreadable() const { return unreadable_; }

  private:
    using PageDescriptor = kdump::PageDescriptor;

    /** Where a page's data is. */
    enum class Data : std::uint8_t { in_chunk, zero_page, same_page };

    struct Entry {
        Pfn pfn = 0;
        Data data = Data::in_chunk;
        std::uint64_t page_flags = 0;
        ContentHash hash{};
    };

    /** Bytes [begin, end). */
    struct Hole {
        std::uint64_t begin = 0;
        std::uint64_t end = 0;
    };

    StoredPage store(Entry &entry, std::uint64_t run, bool share_zeros, std::span<std::byte> out);
    StoredPage store_as_it_is(Entry &entry, bool share_zeros, std::span<std::byte> out);
    std::span<const std::byte> page_without_erased(Pfn pfn, std::uint64_t run);
    StoredPage store_unreadable(Entry &entry, bool share_zeros, std::span<std::byte> out);
    std::uint64_t place_descriptors(const CopyPart &part, const Chunk &chunk, std::uint64_t offset,
                                    std::uint64_t written);
    Written write_data(Output &file, std::uint64_t offset);
    void add_hole(std::uint64_t begin, std::uint64_t end);
    Written write_descriptors(const CopyPart &part, const Chunk &chunk, std::uint64_t count);
    [[nodiscard]] SavedChunk saved(std::uint64_t pages, std::uint64_t written, int error) const;

    const CopyJob *job_;
    PageReader reader_;
    std::unique_ptr<Compressor> compressor_;
    std::vector<PageDescriptor> descriptors_;
    std::vector<Entry> entries_;
    std::vector<UnreadablePage> unreadable_;
    std::vector<std::byte> erased_page_; // only where something is erased
    std::vector<std::byte> data_;
    bool sizes_only_ = false; // of raw pages: a dry run wants no more than which of them are zeros
    std::uint64_t used_ = 0;  // of data_
    std::vector<Hole> holes_; // of data_: zeros that the file need not hold
};

} // namespace ballast::dump
