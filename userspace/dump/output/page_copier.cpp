// SPDX-License-Identifier: GPL-2.0
#include "dump/output/page_copier.hpp"

#include "dump/input/workers.hpp"
#include "dump/output/chunk_copier.hpp"
#include "dump/output/chunk_plan.hpp"
#include "dump/output/offset_chain.hpp"

#include <algorithm>
#include <atomic>
#include <iterator>
#include <memory>
#include <mutex>
#include <optional>

namespace ballast::dump {

namespace {

// More are counted but not named.
constexpr std::size_t unreadable_to_name = 1000;

/** What the threads of one part share. */
class PartCopy {
  public:
    PartCopy(const CopyPart &part, const CopyJob &job, unsigned threads)
        : part_(&part), next_chunk_(part.begin), chain_(part.data, threads), placed_(part.data), whole_(UINT64_MAX) {
        if (job.dedup_memory != 0) {
            known_.emplace(job.dedup_memory);
        }
    }

    /** The next chunk that nobody has; none when all are claimed. */
    std::optional<std::uint64_t> claim() {
        if (next_chunk_.load(std::memory_order_relaxed) >= part_->end) {
            return std::nullopt;
        }
        const std::uint64_t n = next_chunk_.fetch_add(1, std::memory_order_relaxed);
        return n < part_->end ? std::optional(n) : std::nullopt;
    }

    /** Fills, places and writes a claimed chunk. Nothing once the chain is cancelled. */
    std::optional<SavedChunk> copy(ChunkCopier &copier, std::uint64_t n, const Chunk &chunk) {
        std::uint64_t size = copier.fill(*part_, chunk);
        const std::uint64_t turn = n - part_->begin;
        const auto offset = chain_.wait(turn);
        if (!offset) {
            return std::nullopt;
        }
        if (known_) {
            size = copier.share(chunk, *offset, *known_);
        }
        placed_ = *offset + size;
        // A page that shares another's data must not be in the file without it.
        const bool in_order = known_ || (part_->file != nullptr && part_->file->in_order());
        if (!in_order) {
            chain_.pass(turn, *offset + size);
        }
        const SavedChunk saved = copier.save(*part_, chunk, *offset);
        if (saved.error != 0) {
            lower_whole(*offset + saved.written);
        } else if (in_order) {
            chain_.pass(turn, *offset + size);
        }
        return saved;
    }

    void cancel() { chain_.cancel(); }

    [[nodiscard]] CopiedPart result(bool failed) {
        if (failed) {
            return {.end = 0, .whole = std::min(whole_.load(), placed_)};
        }
        const std::uint64_t end = chain_.wait(part_->end - part_->begin).value();
        return {.end = end, .whole = end};
    }

  private:
    void lower_whole(std::uint64_t offset) {
        std::uint64_t seen = whole_.load();
        while (offset < seen && !whole_.compare_exchange_weak(seen, offset)) {
        }
    }

    const CopyPart *part_;
    std::atomic<std::uint64_t> next_chunk_;
    OffsetChain chain_;
    std::optional<SamePages> known_;   // this and the next belong to the thread whose turn it is
    std::uint64_t placed_;             // end of the chunks that had their turn
    std::atomic<std::uint64_t> whole_; // where the first write that failed did
};

/** What the threads of one job share. */
class Copy {
  public:
    Copy(const CopyJob &job, unsigned threads, ProgressSink &progress)
        : job_(&job), progress_(&progress), plan_(job.pages, ChunkCopier::chunk_pages(job.core.page_size()), job.cuts) {
        for (const CopyPart &part : job.parts) {
            parts_.push_back(std::make_unique<PartCopy>(part, job, threads));
        }
    }

    /** Each thread's part. */
    void work() {
        try {
            // Made here, so that a thread's memory is near the CPU that it runs on.
            ChunkCopier copier(*job_);
            copy_chunks(copier);
        } catch (...) {
            cancelled_.store(true, std::memory_order_relaxed);
            for (const auto &part : parts_) {
                part->cancel();
            }
            throw;
        }
    }

    void finish(CopyResult &result) {
        for (const auto &part : parts_) {
            result.parts.push_back(part->result(result.error != nullptr));
        }
        result.pages = counters_.pages.load();
        result.zero_pages = counters_.zero_pages.load();
        result.same_pages = counters_.same_pages.load();
        result.unreadable = std::move(unreadable_);
    }

  private:
    void copy_chunks(ChunkCopier &copier) {
        // Parts in turn, so that all files grow together: they may be on different disks.
        std::size_t done = 0; // parts in a row without a chunk
        while (done < parts_.size() && !cancelled_.load(std::memory_order_relaxed)) {
            const std::size_t part = counters_.next_part.fetch_add(1, std::memory_order_relaxed) % parts_.size();
            const auto n = parts_[part]->claim();
            if (!n) {
                done++;
                continue;
            }
            done = 0;
            const Chunk chunk = plan_.chunk(*n);
            const auto saved = parts_[part]->copy(copier, *n, chunk);
            if (!saved) {
                return;
            }
            count(*saved, copier.unreadable());
            if (saved->error != 0) {
                job_->parts[part].file->fail(saved->error);
            }
            progress_->add(chunk.pages);
        }
    }

    void count(const SavedChunk &saved, std::span<const UnreadablePage> unreadable) {
        counters_.pages.fetch_add(saved.pages, std::memory_order_relaxed);
        counters_.zero_pages.fetch_add(saved.zero_pages, std::memory_order_relaxed);
        counters_.same_pages.fetch_add(saved.same_pages, std::memory_order_relaxed);
        if (unreadable.empty()) {
            return;
        }
        const std::lock_guard guard(unreadable_mutex_);
        unreadable_.count += unreadable.size();
        for (const UnreadablePage &page : unreadable) {
            unreadable_.reasons.emplace(page.pfn, page.reason);
            unreadable_.lost += page.lost ? 1 : 0;
        }
        // The lowest, so that the threads' order makes no difference.
        while (unreadable_.reasons.size() > unreadable_to_name) {
            unreadable_.reasons.erase(std::prev(unreadable_.reasons.end()));
        }
    }

    // What all write stands apart from what all read.
    struct alignas(64) Counters {
        std::atomic<std::size_t> next_part{0};
        std::atomic<std::uint64_t> pages{0};
        std::atomic<std::uint64_t> zero_pages{0};
        std::atomic<std::uint64_t> same_pages{0};
    };
    Counters counters_;
    const CopyJob *job_;
    ProgressSink *progress_;
    ChunkPlan plan_;
    std::vector<std::unique_ptr<PartCopy>> parts_;
    std::atomic<bool> cancelled_{false};
    std::mutex unreadable_mutex_;
    UnreadablePages unreadable_;
};

} // namespace

CopyResult copy_pages(const CopyJob &job, unsigned threads, std::string_view step, ProgressSink &progress) {
    threads = std::max(threads, 1U);
    Copy copy(job, threads, progress);
    CopyResult result;
    progress.begin(step, job.pages.count());
    try {
        run_workers(threads, [&copy](const std::stop_token & /*stop*/) { copy.work(); });
    } catch (...) {
        result.error = std::current_exception();
    }
    progress.end();
    copy.finish(result);
    return result;
}

} // namespace ballast::dump
