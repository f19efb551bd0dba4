// SPDX-License-Identifier: GPL-2.0
#include "dump/output/chunk_copier.hpp"

#include "dump/input/error.hpp"
#include "dump/output/zero_page.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>

namespace ballast::dump {

namespace {

// The stack, and small things on the heap.
constexpr std::uint64_t other_memory = std::uint64_t{32} << 10U;

// Pages are read to this far behind a cache line's start: where rep movsb was measured, the kernel copies them 7 % more
// slowly to its start.
constexpr std::size_t cache_line = 64;
constexpr std::size_t behind_line = 16;

/** A chunk's pages before compression. Larger ones gain nothing, with zlib these wouldn't either. */
std::uint64_t chunk_bytes(Codec codec) {
    return std::uint64_t{codec == Codec::zlib ? 64U : 128U} << 10U;
}

/** Data of chunks that wait for their place while another is filled. */
std::uint64_t waiting_bytes(Codec codec) {
    return chunk_bytes(codec);
}

/** Between where a chunk's data starts and its pages are read to, at least: what becomes of them doesn't reach those to
 * come, though a page may need more room than it ends up with. */
std::size_t read_distance(const Compressor &compressor, std::uint64_t page_size) {
    return std::max<std::size_t>(compressor.room(), page_size);
}

/** What a chunk takes while it is filled. */
std::size_t most_data(const Compressor &compressor, std::uint64_t chunk_pages, std::uint64_t page_size) {
    return read_distance(compressor, page_size) + cache_line + behind_line + chunk_pages * page_size;
}

} // namespace

ChunkCopier::ChunkCopier(const CopyJob &job)
    : job_(&job),
      page_size_(job.core.page_size()),
      chunk_pages_(chunk_pages(job.compression.codec, page_size_)),
      reader_(job.core),
      compressor_(make_compressor(job.compression, page_size_)),
      most_data_(most_data(*compressor_, chunk_pages_, page_size_)),
      descriptors_(most_waiting * chunk_pages_),
      entries_(descriptors_.size()),
      chunks_(most_waiting),
      data_(waiting_bytes(job.compression.codec) + most_data_) {
    for (std::size_t n = 0; n < chunks_.size(); n++) {
        chunks_[n].entries = std::span(entries_).subspan(n * chunk_pages_, chunk_pages_);
        chunks_[n].descriptors = std::span(descriptors_).subspan(n * chunk_pages_, chunk_pages_);
    }
    if (job.dedup_memory != 0) {
        hashes_.resize(chunk_pages_);
    }
}

std::uint64_t ChunkCopier::chunk_pages(Codec codec, std::uint64_t page_size) {
    return std::max<std::uint64_t>(chunk_bytes(codec) / page_size, 1);
}

std::uint64_t ChunkCopier::memory(const Compression &compression, const Core &core) {
    const auto compressor = make_compressor(compression, core.page_size());
    const std::uint64_t pages = chunk_pages(compression.codec, core.page_size());
    return compressor->memory() + waiting_bytes(compression.codec) + most_data(*compressor, pages, core.page_size()) +
           most_waiting * pages * (sizeof(PageDescriptor) + sizeof(Entry)) + core.format().reader_memory() +
           other_memory;
}

bool ChunkCopier::make_room() {
    if (waiting_ == 0) {
        return true;
    }
    const std::size_t begin = waiting(0).begin;
    if (waiting_ == chunks_.size() || data_.size() - (used_ - begin) < most_data_) {
        return false;
    }
    if (data_.size() - used_ < most_data_) {
        std::memmove(data_.data(), data_.data() + begin, used_ - begin);
        used_ -= begin;
        for (std::size_t n = 0; n < waiting_; n++) {
            waiting(n).begin -= begin;
        }
    }
    return true;
}

std::uint64_t ChunkCopier::fill(const CopyPart &part, const Chunk &chunk) {
    const bool raw = job_->compression.codec == Codec::raw && job_->dedup_memory == 0;
    share_zeros_ = part.zero_page.has_value();
    // Other codecs make a few bytes of zeros; pages with the same content are found by their place in the file.
    leave_holes_ = raw && part.file != nullptr && part.file->has_holes();
    sizes_only_ = raw && part.file == nullptr;
    if (waiting_ == 0) {
        used_ = 0;
    }
    FilledChunk &filled = waiting(waiting_);
    filled.part = &part;
    filled.chunk = chunk;
    filled.begin = used_;
    filled.size = 0;
    unreadable_.clear();
    fill_pages(filled, std::span(data_).subspan(used_));
    used_ += filled.size;
    waiting_++;
    return filled.size;
}

void ChunkCopier::fill_pages(FilledChunk &filled, std::span<std::byte> data) {
    const std::span<std::byte> read_to = place_to_read(data);
    SetBits pfns(job_->pages, filled.chunk.first);
    BitRun run;
    bool read_ahead = false; // what can be read at once of the run
    std::uint64_t ahead = 0; // pages that were
    for (std::uint64_t n = 0; n < filled.chunk.pages; n++, run.first++, run.length--) {
        if (run.length == 0) {
            run = pfns.next_run(filled.chunk.pages - n);
            read_ahead = !job_->as_stored;
        }
        const std::span<std::byte> place = read_to.subspan(n * page_size_, run.length * page_size_);
        if (ahead == 0 && read_ahead) {
            ahead = reader_.pages(run.first, place);
            read_ahead = ahead != 0;
        }
        Entry &entry = filled.entries[n];
        entry = {.pfn = run.first};
        const StoredPage stored = store(entry, place.first(ahead != 0 ? page_size_ : 0), data.subspan(filled.size));
        ahead -= ahead != 0 ? 1 : 0;
        filled.descriptors[n] = {.offset = filled.size,
                                 .size = stored.size,
                                 .flags = stored.flags,
                                 .page_flags = entry.readable ? 0 : kdump::page_was_unreadable};
        const auto bytes = data.subspan(filled.size, stored.size);
        if (leave_holes_ && stored.size == page_size_ && is_zero(bytes)) {
            entry.data = Data::hole;
        }
        if (!hashes_.empty()) {
            hashes_[n] = hash_content(bytes);
        }
        filled.size += stored.size;
    }
}

/** As many bytes as a chunk has pages, behind where the chunk's data starts. */
std::span<std::byte> ChunkCopier::place_to_read(std::span<std::byte> data) const {
    const std::size_t size = chunk_pages_ * page_size_;
    const std::span<std::byte> rest = data.subspan(read_distance(*compressor_, page_size_));
    void *line = rest.data();
    std::size_t room = rest.size();
    std::align(cache_line, size + behind_line, line, room);
    return std::span(static_cast<std::byte *>(line), room).subspan(behind_line, size);
}

/** Puts the page into out, unless it shares the zero page. page: its bytes, or none if they are still to be read. */
StoredPage ChunkCopier::store(Entry &entry, std::span<const std::byte> page, std::span<std::byte> out) {
    try {
        if (job_->as_stored) {
            return store_as_it_is(entry, out);
        }
        page = without_erased(entry.pfn, page.empty() ? reader_.page(entry.pfn) : page);
        if (share_zeros_ && is_zero(page)) {
            entry.data = Data::zero_page;
            return {};
        }
        if (sizes_only_) {
            return {.size = static_cast<std::uint32_t>(page.size())};
        }
        return compressor_->store(page, out);
    } catch (const ReadError &error) {
        const bool lost = error.kind() == ReadError::Kind::lost || error.kind() == ReadError::Kind::damaged;
        unreadable_.push_back({.pfn = entry.pfn, .reason = error.what(), .lost = lost});
        return store_unreadable(entry, out);
    }
}

std::span<const std::byte> ChunkCopier::without_erased(Pfn pfn, std::span<const std::byte> page) {
    if (job_->erased == nullptr || !job_->erased->touches(pfn)) {
        return page;
    }
    erased_page_.assign(page.begin(), page.end());
    job_->erased->erase_from(pfn * page.size(), erased_page_);
    return erased_page_;
}

StoredPage ChunkCopier::store_as_it_is(Entry &entry, std::span<std::byte> out) {
    const auto stored = reader_.stored(entry.pfn);
    if (!stored || stored->bytes.empty()) {
        throw ReadError("the core doesn't hold the page");
    }
    if (share_zeros_ && stored->flags == 0 && is_zero(stored->bytes)) {
        entry.data = Data::zero_page;
        return {};
    }
    std::ranges::copy(stored->bytes, out.begin());
    return {.size = static_cast<std::uint32_t>(stored->bytes.size()), .flags = stored->flags};
}

/** Zeros, and a mark. */
StoredPage ChunkCopier::store_unreadable(Entry &entry, std::span<std::byte> out) {
    entry.readable = false;
    if (share_zeros_) {
        entry.data = Data::zero_page;
        return {};
    }
    const std::vector<std::byte> zeros(page_size_);
    return compressor_->store(zeros, out);
}

std::uint64_t ChunkCopier::share(std::uint64_t offset, SamePages &known) {
    FilledChunk &filled = waiting(0);
    std::byte *const data = data_.data() + filled.begin;
    std::size_t kept = 0;
    for (std::uint64_t n = 0; n < filled.chunk.pages; n++) {
        PageDescriptor &descriptor = filled.descriptors[n];
        if (filled.entries[n].data != Data::in_chunk) {
            continue;
        }
        const auto same = known.find(hashes_[n]);
        if (same && same->size == descriptor.size && same->flags == descriptor.flags) {
            filled.entries[n].data = Data::same_page;
            descriptor.offset = same->offset;
            continue;
        }
        std::memmove(data + kept, data + descriptor.offset, descriptor.size);
        descriptor.offset = kept;
        if (!same) {
            known.add(hashes_[n], {.offset = offset + kept, .size = descriptor.size, .flags = descriptor.flags});
        }
        kept += descriptor.size;
    }
    return filled.size = kept;
}

SavedChunk ChunkCopier::save(std::uint64_t offset) {
    const FilledChunk &filled = waiting(0);
    oldest_ = (oldest_ + 1) % chunks_.size();
    waiting_--;
    if (filled.part->file == nullptr) {
        return saved(filled, filled.chunk.pages, filled.size, 0);
    }
    const Written data = write_data(filled, offset);
    const std::uint64_t whole = place_descriptors(filled, offset, data.bytes, page_size_);
    if (!filled.part->descriptors) {
        return saved(filled, whole, data.bytes, data.error);
    }
    const Written table = write_descriptors(filled, whole);
    return saved(filled, table.bytes / sizeof(PageDescriptor), data.bytes, data.error != 0 ? data.error : table.error);
}

/** Writes the chunk's data but for its holes. */
Written ChunkCopier::write_data(const FilledChunk &filled, std::uint64_t offset) const {
    Output &file = *filled.part->file;
    const std::span<const std::byte> data = std::span(data_).subspan(filled.begin, filled.size);
    Written all;
    const auto add = [&all](const Written &piece) {
        all.bytes += piece.bytes;
        all.error = piece.error;
        return piece.error == 0;
    };
    for (std::uint64_t n = 0; n < filled.chunk.pages; n++) {
        if (filled.entries[n].data != Data::hole) {
            continue;
        }
        const PageDescriptor &hole = filled.descriptors[n];
        if (hole.offset > all.bytes &&
            !add(file.write_some(offset + all.bytes, data.subspan(all.bytes, hole.offset - all.bytes)))) {
            return all;
        }
        if (!add(file.leave_hole(offset + hole.offset, hole.size))) {
            return all;
        }
    }
    add(file.write_some(offset + all.bytes, data.subspan(all.bytes)));
    return all;
}

/** Lets offsets count from the file's start. How many pages, from the first on, have all their bytes written. */
std::uint64_t ChunkCopier::place_descriptors(const FilledChunk &filled, std::uint64_t offset, std::uint64_t written,
                                             std::uint64_t page_size) {
    for (std::uint64_t n = 0; n < filled.chunk.pages; n++) {
        PageDescriptor &descriptor = filled.descriptors[n];
        const Data data = filled.entries[n].data;
        if (data == Data::zero_page) {
            descriptor.offset = *filled.part->zero_page;
            descriptor.size = static_cast<std::uint32_t>(page_size);
        } else if (data != Data::same_page) {
            if (descriptor.offset + descriptor.size > written) {
                return n;
            }
            descriptor.offset += offset;
        }
    }
    return filled.chunk.pages;
}

/** Writes the first `count` descriptors, as many as stand side by side at once. */
Written ChunkCopier::write_descriptors(const FilledChunk &filled, std::uint64_t count) const {
    const CopyPart &part = *filled.part;
    const auto rank = [&](std::uint64_t n) {
        return (job_->ranks != nullptr ? job_->ranks->rank(filled.entries[n].pfn) : filled.chunk.rank + n) -
               part.first_rank;
    };
    Written all;
    for (std::uint64_t n = 0; n < count && all.error == 0;) {
        const std::uint64_t first = rank(n);
        std::uint64_t side_by_side = job_->ranks != nullptr ? 1 : count - n;
        while (n + side_by_side < count && rank(n + side_by_side) == first + side_by_side) {
            side_by_side++;
        }
        const std::uint64_t offset = *part.descriptors + first * sizeof(PageDescriptor);
        const auto bytes = std::as_bytes(filled.descriptors.subspan(n, side_by_side));
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

SavedChunk ChunkCopier::saved(const FilledChunk &filled, std::uint64_t pages, std::uint64_t written, int error) {
    SavedChunk result{.pages = pages, .zero_pages = 0, .same_pages = 0, .written = written, .error = error};
    for (const Entry &entry : filled.entries.first(pages)) {
        result.zero_pages += entry.data == Data::zero_page && entry.readable ? 1 : 0;
        result.same_pages += entry.data == Data::same_page ? 1 : 0;
    }
    return result;
}

} // namespace ballast::dump
