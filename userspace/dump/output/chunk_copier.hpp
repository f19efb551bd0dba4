// SPDX-License-Identifier: GPL-2.0
#pragma once

#include "dump/compress/compressor.hpp"
#include "dump/input/page_reader.hpp"
#include "dump/output/chunk_plan.hpp"
#include "dump/output/copy_job.hpp"
#include "dump/input/kdump_format.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace ballast::dump {

/** How much of a chunk is in the file. */
struct SavedChunk {
    std::uint64_t pages = 0;      // with their descriptors
    std::uint64_t zero_pages = 0; // of these, that share the one copy
    int error = 0;                // the errno of what stopped it before all were
};

/** One thread's part of a copy job: reads and compresses a chunk, then, told its place, writes it. Allocates only at
 * the start. */
class ChunkCopier {
  public:
    explicit ChunkCopier(const CopyJob &job);

    /** Most pages in a chunk. */
    static std::uint64_t chunk_pages(std::uint64_t page_size);

    /** What a copier takes, in bytes, its thread's stack included. */
    static std::uint64_t memory(Codec codec, std::uint64_t page_size);

    /** Reads and compresses the chunk. Its size in the file, in bytes. Throws Error on a read error. */
    std::uint64_t fill(const Chunk &chunk);

    /** Writes the chunk that fill() took: its data to the offset, then the descriptors of all pages whose data got
     * there. */
    SavedChunk save(const Chunk &chunk, std::uint64_t offset);

  private:
    using PageDescriptor = kdump::PageDescriptor;

    std::span<const PageDescriptor> place_descriptors(const Chunk &chunk, std::uint64_t offset, std::uint64_t written);
    Written write_descriptors(std::uint64_t rank, std::span<const PageDescriptor> descriptors);
    [[nodiscard]] SavedChunk saved(std::span<const PageDescriptor> stored, int error) const;

    const CopyJob *job_;
    PageReader reader_;
    std::unique_ptr<Compressor> compressor_;
    std::vector<PageDescriptor> descriptors_;
    std::vector<std::byte> data_;
    std::uint64_t used_ = 0; // of data_
};

} // namespace ballast::dump
