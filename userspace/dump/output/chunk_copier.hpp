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

/**
 * One thread's part of a copy job: reads and compresses chunks, which wait in its buffer until they are told their
 * places, in the order in which they came; then it writes them. Allocates only at the start.
 *
 * Pages that stand side by side are read at once, to behind where the chunk's data will go: a read each would cost as
 * much as copying them does.
 */
class ChunkCopier {
  public:
    explicit ChunkCopier(const CopyJob &job);

    /** Most pages in a chunk. */
    static std::uint64_t chunk_pages(Codec codec, std::uint64_t page_size);

    /** Most chunks that wait at the same time. */
    static constexpr std::size_t most_waiting = 16;

    /** What a copier takes, in bytes, its thread's stack included. */
    static std::uint64_t memory(const Compression &compression, const Core &core);

    /** Makes room for one more chunk; false while there is none. There is where no chunk waits. */
    bool make_room();

    /** Reads and compresses the chunk, for which there is room. Its size in the file, in bytes. part: must stay until
     * the chunk is saved. */
    std::uint64_t fill(const CopyPart &part, const Chunk &chunk);

    /** The pages of the chunk just filled that could not be read: zeros stand for them. */
    [[nodiscard]] std::span<const UnreadablePage> unreadable() const { return unreadable_; }

    /** Where no other chunk waits: lets pages of the chunk share the data of pages with the same content, those before
     * them and those in known; adds its own to known, as the chunk will be at the offset. Its size then. */
    std::uint64_t share(std::uint64_t offset, SamePages &known);

    /** Writes the chunk that has waited longest: its data to the offset, then the descriptors of all pages whose data
     * got there. */
    SavedChunk save(std::uint64_t offset);

  private:
    using PageDescriptor = kdump::PageDescriptor;

    /** Where a page's data is. Of a hole: nowhere, as the file reads as zeros there. */
    enum class Data : std::uint8_t { in_chunk, hole, zero_page, same_page };

    struct Entry {
        Pfn pfn = 0;
        Data data = Data::in_chunk;
        bool readable = true;
    };

    /** A chunk's pages, one after the other. */
    struct FilledChunk {
        const CopyPart *part = nullptr;
        Chunk chunk;
        std::span<Entry> entries;
        std::span<PageDescriptor> descriptors; // offsets from the chunk's start
        std::size_t begin = 0;                 // of its data in data_
        std::size_t size = 0;
    };

    [[nodiscard]] FilledChunk &waiting(std::size_t n) { return chunks_[(oldest_ + n) % chunks_.size()]; }
    void fill_pages(FilledChunk &filled, std::span<std::byte> data);
    [[nodiscard]] std::span<std::byte> place_to_read(std::span<std::byte> data) const;
    StoredPage store(Entry &entry, std::span<const std::byte> page, std::span<std::byte> out);
    StoredPage store_as_it_is(Entry &entry, std::span<std::byte> out);
    std::span<const std::byte> without_erased(Pfn pfn, std::span<const std::byte> page);
    StoredPage store_unreadable(Entry &entry, std::span<std::byte> out);
    static std::uint64_t place_descriptors(const FilledChunk &filled, std::uint64_t offset, std::uint64_t written,
                                           std::uint64_t page_size);
    [[nodiscard]] Written write_data(const FilledChunk &filled, std::uint64_t offset) const;
    [[nodiscard]] Written write_descriptors(const FilledChunk &filled, std::uint64_t count) const;
    [[nodiscard]] static SavedChunk saved(const FilledChunk &filled, std::uint64_t pages, std::uint64_t written,
                                          int error);

    const CopyJob *job_;
    std::uint64_t page_size_;
    std::uint64_t chunk_pages_; // at most
    PageReader reader_;
    std::unique_ptr<Compressor> compressor_;
    std::size_t most_data_;                   // room that a chunk takes while it is filled
    std::vector<PageDescriptor> descriptors_; // of all chunks
    std::vector<Entry> entries_;
    std::vector<FilledChunk> chunks_; // a ring
    std::size_t oldest_ = 0;          // of those that wait
    std::size_t waiting_ = 0;
    std::vector<std::byte> data_; // of the chunks that wait, one behind the other
    std::size_t used_ = 0;        // one past the last chunk's data
    std::vector<UnreadablePage> unreadable_;
    std::vector<ContentHash> hashes_;    // of the chunk's pages, only where pages share data
    std::vector<std::byte> erased_page_; // only where something is erased
    // Of the chunk that is being filled.
    bool share_zeros_ = false;
    bool leave_holes_ = false;
    bool sizes_only_ = false; // of raw pages: a dry run needn't copy them
};

} // namespace ballast::dump
