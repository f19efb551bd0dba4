// SPDX-License-Identifier: GPL-2.0
#include "dump/output/chunk_copier.hpp"

#include "dump/input/error.hpp"
#include "dump/output/zero_page.hpp"

#include <algorithm>
#include <array>
#include <cstring>

namespace ballast::dump {

namespace {

// A chunk's pages before compression. Larger ones gain nothing, and this is most of a thread's memory.
constexpr std::uint64_t chunk_bytes = std::uint64_t{128} << 10U;

// The stack, and small things on the heap.
constexpr std::uint64_t other_memory = std::uint64_t{32} << 10U;

/** The last page of a chunk may need more room than it ends up with. */
std::uint64_t buffer_size(const Compressor &compressor, std::uint64_t page_size) {
    return (ChunkCopier::chunk_pages(page_size) - 1) * page_size + std::max(compressor.room(), page_size);
}

} // namespace

ChunkCopier::ChunkCopier(const CopyJob &job)
    : job_(&job),
      reader_(job.core),
      compressor_(make_compressor(job.compression, job.core.page_size())),
      descriptors_(chunk_pages(job.core.page_size())),
      entries_(descriptors_.size()),
      data_(buffer_size(*compressor_, job.core.page_size())) {
    holes_.reserve(descriptors_.size());
}

std::uint64_t ChunkCopier::chunk_pages(std::uint64_t page_size) {
    return std::max<std::uint64_t>(chunk_bytes / page_size, 1);
}

std::uint64_t ChunkCopier::memory(const Compression &compression, const Core &core) {
    const auto compressor = make_compressor(compression, core.page_size());
    return compressor->memory() + buffer_size(*compressor, core.page_size()) +
           chunk_pages(core.page_size()) * (sizeof(PageDescriptor) + sizeof(Entry)) + core.format().reader_memory() +
           other_memory;
}

std::uint64_t ChunkCopier::fill(const CopyPart &part, const Chunk &chunk) {
    const std::span<std::byte> data(data_);
    const bool share_zeros = part.zero_page.has_value();
    // Other codecs make a few bytes of zeros; pages with the same content are found by their place in the file.
    const bool leave_holes = part.file != nullptr && part.file->has_holes() && job_->compression.codec == Codec::raw &&
                             job_->dedup_memory == 0;
    sizes_only_ = part.file == nullptr && job_->compression.codec == Codec::raw && job_->dedup_memory == 0;
    SetBits pfns(job_->pages, chunk.first);
    unreadable_.clear();
    holes_.clear();
    used_ = 0;
    BitRun run;
    for (std::uint64_t n = 0; n < chunk.pages; n++, run.first++, run.length--) {
        if (run.length == 0) {
            run = pfns.next_run(chunk.pages - n);
        }
        Entry &entry = entries_[n];
        entry = {.pfn = run.first};
        const StoredPage stored = store(entry, run.length, share_zeros, data.subspan(used_));
        descriptors_[n] = {.offset = used_, .size = stored.size, .flags = stored.flags, .page_flags = entry.page_flags};
        if (leave_holes && stored.size == job_->core.page_size() && is_zero(data.subspan(used_, stored.size))) {
            add_hole(used_, used_ + stored.size);
        }
        used_ += stored.size;
    }
    return used_;
}

void ChunkCopier::add_hole(std::uint64_t begin, std::uint64_t end) {
    if (!holes_.empty() && holes_.back().end == begin) {
        holes_.back().end = end;
    } else {
        holes_.push_back({.begin = begin, .end = end});
    }
}

/** Puts the page into out, unless it shares the zero page. It is the first of so many side by side. */
StoredPage ChunkCopier::store(Entry &entry, std::uint64_t run, bool share_zeros, std::span<std::byte> out) {
    try {
        if (job_->as_stored) {
            return store_as_it_is(entry, share_zeros, out);
        }
        if (sizes_only_ && reader_.begins_with_data(entry.pfn)) {
            return {.size = static_cast<std::uint32_t>(job_->core.page_size())};
        }
        const auto page = page_without_erased(entry.pfn, run);
        if (share_zeros && is_zero(page)) {
            entry.data = Data::zero_page;
            return {};
        }
        if (job_->dedup_memory != 0) {
            entry.hash = hash_content(page);
        }
        return compressor_->store(page, out);
    } catch (const ReadError &error) {
        const bool lost = error.kind() == ReadError::Kind::lost || error.kind() == ReadError::Kind::damaged;
        unreadable_.push_back({.pfn = entry.pfn, .reason = error.what(), .lost = lost});
        return store_unreadable(entry, share_zeros, out);
    }
}

std::span<const std::byte> ChunkCopier::page_without_erased(Pfn pfn, std::uint64_t run) {
    const auto page = reader_.page(pfn, run);
    if (job_->erased == nullptr || !job_->erased->touches(pfn)) {
        return page;
    }
    erased_page_.assign(page.begin(), page.end());
    job_->erased->erase_from(pfn * page.size(), erased_page_);
    return erased_page_;
}

StoredPage ChunkCopier::store_as_it_is(Entry &entry, bool share_zeros, std::span<std::byte> out) {
    const auto stored = reader_.stored(entry.pfn);
    if (!stored || stored->bytes.empty()) {
        throw ReadError("the core doesn't hold the page");
    }
    if (share_zeros && stored->flags == 0 && is_zero(stored->bytes)) {
        entry.data = Data::zero_page;
        return {};
    }
    if (job_->dedup_memory != 0) {
        entry.hash = hash_content(stored->bytes);
    }
    std::ranges::copy(stored->bytes, out.begin());
    return {.size = static_cast<std::uint32_t>(stored->bytes.size()), .flags = stored->flags};
}

/** Zeros, and a mark. */
StoredPage ChunkCopier::store_unreadable(Entry &entry, bool share_zeros, std::span<std::byte> out) {
    entry.page_flags = kdump::page_was_unreadable;
    if (share_zeros) {
        entry.data = Data::zero_page;
        return {};
    }
    const std::vector<std::byte> zeros(job_->core.page_size());
    if (job_->dedup_memory != 0) {
        entry.hash = hash_content(zeros);
    }
    return compressor_->store(zeros, out);
}

std::uint64_t ChunkCopier::share(const Chunk &chunk, std::uint64_t offset, SamePages &known) {
    std::uint64_t kept = 0;
    for (std::uint64_t n = 0; n < chunk.pages; n++) {
        PageDescriptor &descriptor = descriptors_[n];
        if (entries_[n].data != Data::in_chunk) {
            continue;
        }
        if (const auto same = known.find(entries_[n].hash)) {
            entries_[n].data = Data::same_page;
            descriptor.offset = same->offset;
            descriptor.size = same->size;
            descriptor.flags = same->flags;
            continue;
        }
        std::memmove(data_.data() + kept, data_.data() + descriptor.offset, descriptor.size);
        descriptor.offset = kept;
        known.add(entries_[n].hash, {.offset = offset + kept, .size = descriptor.size, .flags = descriptor.flags});
        kept += descriptor.size;
    }
    return used_ = kept;
}

SavedChunk ChunkCopier::save(const CopyPart &part, const Chunk &chunk, std::uint64_t offset) {
    if (part.file == nullptr) {
        return saved(place_descriptors(part, chunk, offset, used_), used_, 0);
    }
    const Written data = write_data(*part.file, offset);
    const std::uint64_t whole = place_descriptors(part, chunk, offset, data.bytes);
    if (!part.descriptors) {
        return saved(whole, data.bytes, data.error);
    }
    const Written table = write_descriptors(part, chunk, whole);
    return saved(table.bytes / sizeof(PageDescriptor), data.bytes, data.error != 0 ? data.error : table.error);
}

/** Writes the chunk's data but for its holes. */
Written ChunkCopier::write_data(Output &file, std::uint64_t offset) {
    const std::span<const std::byte> data = std::span(data_).first(used_);
    Written all;
    const auto add = [&all](const Written &piece) {
        all.bytes += piece.bytes;
        all.error = piece.error;
        return piece.error == 0;
    };
    for (const Hole &hole : holes_) {
        if (!add(file.write_some(offset + all.bytes, data.subspan(all.bytes, hole.begin - all.bytes))) ||
            !add(file.leave_hole(offset + hole.begin, hole.end - hole.begin))) {
            return all;
        }
    }
    add(file.write_some(offset + all.bytes, data.subspan(all.bytes)));
    return all;
}

/** Lets offsets count from the file's start. How many pages, from the first on, have all their bytes written. */
std::uint64_t ChunkCopier::place_descriptors(const CopyPart &part, const Chunk &chunk, std::uint64_t offset,
                                             std::uint64_t written) {
    for (std::uint64_t n = 0; n < chunk.pages; n++) {
        PageDescriptor &descriptor = descriptors_[n];
        if (entries_[n].data == Data::zero_page) {
            descriptor.offset = *part.zero_page;
            descriptor.size = static_cast<std::uint32_t>(job_->core.page_size());
        } else if (entries_[n].data == Data::in_chunk) {
            if (descriptor.offset + descriptor.size > written) {
                return n;
            }
            descriptor.offset += offset;
        }
    }
    return chunk.pages;
}

/** Writes the first `count` descriptors, as many as stand side by side at once. */
Written ChunkCopier::write_descriptors(const CopyPart &part, const Chunk &chunk, std::uint64_t count) {
    const auto rank = [&](std::uint64_t n) {
        return (job_->ranks != nullptr ? job_->ranks->rank(entries_[n].pfn) : chunk.rank + n) - part.first_rank;
    };
    Written all;
    for (std::uint64_t n = 0; n < count && all.error == 0;) {
        const std::uint64_t first = rank(n);
        std::uint64_t side_by_side = job_->ranks != nullptr ? 1 : count - n;
        while (n + side_by_side < count && rank(n + side_by_side) == first + side_by_side) {
            side_by_side++;
        }
        const std::uint64_t offset = *part.descriptors + first * sizeof(PageDescriptor);
        const auto bytes = std::as_bytes(std::span(descriptors_).subspan(n, side_by_side));
        const Written written = part.file->write_some(offset, bytes);
        // A descriptor that was cut in two would point nowhere: zeros say that its page is lost.
        const std::array<std::byte, sizeof(PageDescriptor)> zeros{};
        const std::size_t torn = written.bytes % sizeof(PageDescriptor);
        [[maybe_unused]] const Written cleared =
            part.file->write_some(offset + written.bytes - torn, std::span(zeros).first(torn));
        all.bytes += written.bytes;
        all.error = written.error;
        n += side_by_side;
    }
    return all;
}

SavedChunk ChunkCopier::saved(std::uint64_t pages, std::uint64_t written, int error) const {
    SavedChunk result{.pages = pages, .zero_pages = 0, .same_pages = 0, .written = written, .error = error};
    for (const Entry &entry : std::span(entries_).first(pages)) {
        result.zero_pages += entry.data == Data::zero_page && entry.page_flags == 0 ? 1 : 0;
        result.same_pages += entry.data == Data::same_page ? 1 : 0;
    }
    return result;
}

} // namespace ballast::dump
