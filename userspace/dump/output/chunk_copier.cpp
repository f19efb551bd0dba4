// SPDX-License-Identifier: GPL-2.0
#include "dump/output/chunk_copier.hpp"

#include <algorithm>
#include <array>
#include <cstring>

namespace ballast::dump {

namespace {

// A chunk's pages before compression. Larger ones gain nothing, and this is most of a thread's memory.
constexpr std::uint64_t chunk_bytes = std::uint64_t{128} << 10U;

// Stack, and what the page reader has on the heap.
constexpr std::uint64_t other_memory = std::uint64_t{96} << 10U;

// Stands for a zero page until the chunk is placed: no stored page is empty.
constexpr kdump::PageDescriptor zero_page{};

bool is_zero(std::span<const std::byte> page) {
    std::uint64_t first = 0;
    std::memcpy(&first, page.data(), sizeof(first));
    return first == 0 && std::memcmp(page.data(), page.data() + sizeof(first), page.size() - sizeof(first)) == 0;
}

/** The last page of a chunk may need more room than it ends up with. */
std::uint64_t buffer_size(const Compressor &compressor, std::uint64_t page_size) {
    return (ChunkCopier::chunk_pages(page_size) - 1) * page_size + compressor.room();
}

} // namespace

ChunkCopier::ChunkCopier(const CopyJob &job)
    : job_(&job),
      reader_(job.core),
      compressor_(make_compressor(job.codec, job.layout.block_size)),
      descriptors_(chunk_pages(job.layout.block_size)),
      data_(buffer_size(*compressor_, job.layout.block_size)) {}

std::uint64_t ChunkCopier::chunk_pages(std::uint64_t page_size) {
    return std::max<std::uint64_t>(chunk_bytes / page_size, 1);
}

std::uint64_t ChunkCopier::memory(Codec codec, std::uint64_t page_size) {
    const auto compressor = make_compressor(codec, page_size);
    return compressor->memory() + buffer_size(*compressor, page_size) +
           chunk_pages(page_size) * sizeof(PageDescriptor) + other_memory;
}

std::uint64_t ChunkCopier::fill(const Chunk &chunk) {
    const std::span<std::byte> data(data_);
    SetBits pfns(job_->dumped, chunk.first);
    used_ = 0;
    for (PageDescriptor &descriptor : std::span(descriptors_).first(chunk.pages)) {
        const auto page = reader_.page(pfns.next());
        if (job_->share_zero_pages && is_zero(page)) {
            descriptor = zero_page;
            continue;
        }
        const StoredPage stored = compressor_->store(page, data.subspan(used_, compressor_->room()));
        descriptor = {.offset = used_, .size = stored.size, .flags = stored.flags};
        used_ += stored.size;
    }
    return used_;
}

SavedChunk ChunkCopier::save(const Chunk &chunk, std::uint64_t offset) {
    if (job_->file == nullptr) {
        return saved(place_descriptors(chunk, offset, used_), 0);
    }
    const Written data = job_->file->write_some(offset, std::span(data_).first(used_));
    const auto whole = place_descriptors(chunk, offset, data.bytes);
    const Written table = write_descriptors(chunk.rank, whole);
    return saved(whole.first(table.bytes / sizeof(PageDescriptor)), data.error != 0 ? data.error : table.error);
}

/** Lets offsets count from the file's start. The descriptors of the first pages, as far as all bytes of them were
 * written. */
std::span<const kdump::PageDescriptor> ChunkCopier::place_descriptors(const Chunk &chunk, std::uint64_t offset,
                                                                      std::uint64_t written) {
    const auto descriptors = std::span(descriptors_).first(chunk.pages);
    for (std::size_t n = 0; n < descriptors.size(); n++) {
        PageDescriptor &descriptor = descriptors[n];
        if (descriptor.size == 0) {
            descriptor.offset = job_->layout.data;
            descriptor.size = static_cast<std::uint32_t>(job_->layout.block_size);
        } else if (descriptor.offset + descriptor.size <= written) {
            descriptor.offset += offset;
        } else {
            return descriptors.first(n);
        }
    }
    return descriptors;
}

Written ChunkCopier::write_descriptors(std::uint64_t rank, std::span<const PageDescriptor> descriptors) {
    const std::uint64_t offset = job_->layout.descriptors + rank * sizeof(PageDescriptor);
    const Written written = job_->file->write_some(offset, std::as_bytes(descriptors));
    // A descriptor that was cut in two would point nowhere: zeros say that its page is lost.
    const std::array<std::byte, sizeof(PageDescriptor)> zeros{};
    const std::size_t torn = written.bytes % sizeof(PageDescriptor);
    [[maybe_unused]] const Written cleared =
        job_->file->write_some(offset + written.bytes - torn, std::span(zeros).first(torn));
    return written;
}

SavedChunk ChunkCopier::saved(std::span<const PageDescriptor> stored, int error) const {
    const auto shared =
        job_->share_zero_pages ? std::ranges::count(stored, job_->layout.data, &PageDescriptor::offset) : 0;
    return {.pages = stored.size(), .zero_pages = static_cast<std::uint64_t>(shared), .error = error};
}

} // namespace ballast::dump
