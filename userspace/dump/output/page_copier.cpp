// SPDX-License-Identifier: GPL-2.0
#include "dump/output/page_copier.hpp"

#include "dump/input/workers.hpp"
#include "dump/output/chunk_copier.hpp"
#include "dump/output/chunk_plan.hpp"
#include "dump/output/offset_chain.hpp"

#include <algorithm>
#include <atomic>

namespace ballast::dump {

namespace {

/** What the threads of one job share. */
class Copy {
  public:
    Copy(const CopyJob &job, unsigned threads, ProgressSink &progress)
        : job_(&job),
          progress_(&progress),
          plan_(job.dumped, ChunkCopier::chunk_pages(job.layout.block_size)),
          chain_(job.start(), threads) {}

    /** Each thread's part. */
    void work() {
        try {
            // Made here, so that a thread's memory is near the CPU that it runs on.
            ChunkCopier copier(*job_);
            copy_chunks(copier);
        } catch (...) {
            chain_.cancel();
            throw;
        }
    }

    /** Once all chunks are placed. */
    std::uint64_t end() { return chain_.place(plan_.chunks(), 0).value(); }

    [[nodiscard]] std::uint64_t pages() const { return counters_.pages.load(); }
    [[nodiscard]] std::uint64_t zero_pages() const { return counters_.zero_pages.load(); }

  private:
    void copy_chunks(ChunkCopier &copier) {
        while (!chain_.cancelled()) {
            const std::uint64_t n = counters_.next_chunk.fetch_add(1, std::memory_order_relaxed);
            if (n >= plan_.chunks()) {
                return;
            }
            const Chunk chunk = plan_.chunk(n);
            const auto offset = chain_.place(n, copier.fill(chunk));
            if (!offset) {
                return;
            }
            save(copier, chunk, *offset);
            progress_->add(chunk.pages);
        }
    }

    void save(ChunkCopier &copier, const Chunk &chunk, std::uint64_t offset) {
        const SavedChunk saved = copier.save(chunk, offset);
        counters_.pages.fetch_add(saved.pages, std::memory_order_relaxed);
        counters_.zero_pages.fetch_add(saved.zero_pages, std::memory_order_relaxed);
        if (saved.error != 0) {
            job_->file->fail(saved.error);
        }
    }

    // What all write stands apart from what all read.
    struct alignas(64) Counters {
        std::atomic<std::uint64_t> next_chunk{0};
        std::atomic<std::uint64_t> pages{0};
        std::atomic<std::uint64_t> zero_pages{0};
    };
    Counters counters_;
    const CopyJob *job_;
    ProgressSink *progress_;
    ChunkPlan plan_;
    OffsetChain chain_;
};

} // namespace

CopyResult copy_pages(const CopyJob &job, unsigned threads, ProgressSink &progress) {
    threads = std::max(threads, 1U);
    Copy copy(job, threads, progress);
    CopyResult result;
    progress.begin("Copying data", job.layout.pages);
    try {
        run_workers(threads, [&copy](const std::stop_token & /*stop*/) { copy.work(); });
        result.end = copy.end();
    } catch (...) {
        result.error = std::current_exception();
    }
    progress.end();
    result.pages = copy.pages();
    result.zero_pages = copy.zero_pages();
    return result;
}

} // namespace ballast::dump
