// SPDX-License-Identifier: GPL-2.0
#include "dump/output/page_copier.hpp"

#include "dump/input/workers.hpp"
#include "dump/output/chunk_copier.hpp"
#include "dump/output/chunk_plan.hpp"
#include "dump/output/offset_chain.hpp"

#include <algorithm>
#include <array>
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
    PartCopy(const CopyPart &part, const CopyJob &job, std::size_t under_way)
        : part_(&part), next_chunk_(part.begin), chain_(part.data, under_way), whole_(UINT64_MAX) {
        if (job.dedup_memory != 0) {
            known_.emplace(job.dedup_memory);
        }
    }

    [[nodiscard]] const CopyPart &part() const { return *part_; }

    /** The next chunk that nobody has; none when all are claimed. */
    std::optional<std::uint64_t> claim() {
        if (next_chunk_.load(std::memory_order_relaxed) >= part_->end) {
            return std::nullopt;
        }
        const std::uint64_t n = next_chunk_.fetch_add(1, std::memory_order_acq_rel);
        return n < part_->end ? std::optional(n) : std::nullopt;
    }

    /** Must chunks be saved one after the other? A page that shares another's data must not be in the file without it.
     */
    [[nodiscard]] bool in_order() const { return known_ || (part_->file != nullptr && part_->file->in_order()); }

    /** Does it matter where a chunk goes? Not in a dry run, unless pages share data: then nobody waits for others. */
    [[nodiscard]] bool has_places() const { return known_ || part_->file != nullptr; }

    /** The chunk has been filled, and has this size. */
    void filled(std::uint64_t n, std::uint64_t size, ChunkPlace &place) {
        if (!has_places()) {
            unplaced_.fetch_add(size, std::memory_order_relaxed);
        } else if (!in_order()) {
            chain_.set_size(n - part_->begin, size, place);
        }
    }

    /** Waits for the chunk's place, if it has one, and writes it. Nothing where it is cancelled. */
    std::optional<SavedChunk> save(ChunkCopier &copier, std::uint64_t n, std::uint64_t size, ChunkPlace &place) {
        if (!has_places()) {
            return copier.save(0);
        }
        const auto offset = in_order() ? chain_.wait(n - part_->begin) : place.wait();
        if (!offset) {
            return std::nullopt;
        }
        if (known_) {
            size = copier.share(*offset, *known_);
        }
        const SavedChunk saved = copier.save(*offset);
        if (saved.error != 0) {
            lower_whole(*offset + saved.written);
        } else if (in_order()) {
            chain_.pass(n - part_->begin, *offset + size);
        }
        return saved;
    }

    void cancel() { chain_.cancel(); }

    /** From this offset on data is missing. */
    void lower_whole(std::uint64_t offset) {
        std::uint64_t seen = whole_.load();
        while (offset < seen && !whole_.compare_exchange_weak(seen, offset)) {
        }
    }

    [[nodiscard]] CopiedPart result(bool failed) const {
        const std::uint64_t end = chain_.end() + unplaced_.load();
        return {.end = failed ? 0 : end, .whole = std::min(whole_.load(), end)};
    }

  private:
    const CopyPart *part_;
    std::atomic<std::uint64_t> next_chunk_;
    OffsetChain chain_;
    std::atomic<std::uint64_t> unplaced_{0}; // bytes in chunks that have no place
    std::optional<SamePages> known_;         // belongs to the thread whose turn it is
    std::atomic<std::uint64_t> whole_;       // where the first write that failed did
};

/** The chunks that one thread has claimed and not written yet, in the order in which it claimed them. */
class ClaimedChunks {
  public:
    struct Claimed {
        PartCopy *part = nullptr;
        std::uint64_t n = 0;
        std::uint64_t pages = 0;
        std::uint64_t size = 0; // once filled
        ChunkPlace place;
    };

    [[nodiscard]] bool empty() const { return count_ == 0; }
    [[nodiscard]] Claimed &oldest() { return claimed_[oldest_]; }

    /** For one more, behind the others. */
    Claimed &add() { return claimed_[(oldest_ + count_++) % claimed_.size()]; }

    void drop_oldest() {
        oldest_ = (oldest_ + 1) % claimed_.size();
        count_--;
    }

    /** From any thread. */
    void cancel() {
        for (Claimed &each : claimed_) {
            each.place.cancel();
        }
    }

  private:
    std::array<Claimed, ChunkCopier::most_waiting> claimed_;
    std::size_t oldest_ = 0;
    std::size_t count_ = 0;
};

/** What the threads of one job share. */
class Copy {
  public:
    Copy(const CopyJob &job, unsigned threads, ProgressSink &progress)
        : job_(&job),
          progress_(&progress),
          plan_(job.pages, ChunkCopier::chunk_pages(job.compression.codec, job.core.page_size()), job.cuts),
          claimed_(threads) {
        for (const CopyPart &part : job.parts) {
            parts_.push_back(std::make_unique<PartCopy>(part, job, threads * ChunkCopier::most_waiting));
        }
    }

    /** Each thread's part. */
    void work() {
        try {
            // Made here, so that a thread's memory is near the CPU that it runs on.
            ChunkCopier copier(*job_);
            copy_chunks(copier, claimed_[counters_.next_thread.fetch_add(1)]);
        } catch (...) {
            cancelled_.store(true, std::memory_order_relaxed);
            for (const auto &part : parts_) {
                part->cancel();
            }
            for (ClaimedChunks &claimed : claimed_) {
                claimed.cancel();
            }
            throw;
        }
    }

    void finish(CopyResult &result) {
        for (ClaimedChunks &claimed : claimed_) {
            for (; !claimed.empty(); claimed.drop_oldest()) {
                if (const auto offset = claimed.oldest().place.offset()) {
                    claimed.oldest().part->lower_whole(*offset);
                }
            }
        }
        for (const auto &part : parts_) {
            result.parts.push_back(part->result(result.error != nullptr));
        }
        result.pages = counters_.pages.load();
        result.zero_pages = counters_.zero_pages.load();
        result.same_pages = counters_.same_pages.load();
        result.unreadable = std::move(unreadable_);
    }

  private:
    using Claimed = ClaimedChunks::Claimed;

    /** Fills chunks ahead while it isn't known where they go: pages of zeros take no time, so some threads would always
     * wait for others. */
    void copy_chunks(ChunkCopier &copier, ClaimedChunks &mine) {
        while (Claimed *const claimed = claim(mine)) {
            fill(copier, *claimed);
            while (!mine.empty() && (must_save(mine.oldest()) || !copier.make_room())) {
                if (!save_oldest(copier, mine)) {
                    return;
                }
            }
        }
        while (!mine.empty() && save_oldest(copier, mine)) {
        }
    }

    /** The next chunk, of the parts in turn, so that all files grow together: they may be on different disks. */
    Claimed *claim(ClaimedChunks &mine) {
        for (std::size_t done = 0; done < parts_.size() && !cancelled_.load(std::memory_order_relaxed); done++) {
            PartCopy &part = *parts_[counters_.next_part.fetch_add(1, std::memory_order_relaxed) % parts_.size()];
            if (const auto n = part.claim()) {
                Claimed &claimed = mine.add();
                claimed.part = &part;
                claimed.n = *n;
                claimed.place.forget();
                return &claimed;
            }
        }
        return nullptr;
    }

    void fill(ChunkCopier &copier, Claimed &claimed) {
        const Chunk chunk = plan_.chunk(claimed.n);
        claimed.pages = chunk.pages;
        claimed.size = copier.fill(claimed.part->part(), chunk);
        count(copier.unreadable());
        claimed.part->filled(claimed.n, claimed.size, claimed.place);
    }

    /** Rather than to wait for another thread's write, the next chunk is filled. */
    static bool must_save(const Claimed &claimed) {
        const PartCopy &part = *claimed.part;
        return part.in_order() || !part.has_places() || (claimed.place.offset() && !part.part().file->is_busy());
    }

    /** False where it is cancelled. */
    bool save_oldest(ChunkCopier &copier, ClaimedChunks &mine) {
        const Claimed &oldest = mine.oldest();
        const auto saved = oldest.part->save(copier, oldest.n, oldest.size, mine.oldest().place);
        if (!saved) {
            return false;
        }
        mine.drop_oldest();
        count(*saved);
        if (saved->error != 0) {
            oldest.part->part().file->fail(saved->error);
        }
        progress_->add(oldest.pages);
        return true;
    }

    void count(const SavedChunk &saved) {
        counters_.pages.fetch_add(saved.pages, std::memory_order_relaxed);
        counters_.zero_pages.fetch_add(saved.zero_pages, std::memory_order_relaxed);
        counters_.same_pages.fetch_add(saved.same_pages, std::memory_order_relaxed);
    }

    void count(std::span<const UnreadablePage> unreadable) {
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
        std::atomic<std::size_t> next_thread{0};
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
    std::vector<ClaimedChunks> claimed_; // of each thread
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
