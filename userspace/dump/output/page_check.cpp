// SPDX-License-Identifier: GPL-2.0
#include "dump/output/page_check.hpp"

#include "dump/input/error.hpp"
#include "dump/input/page_reader.hpp"
#include "dump/input/workers.hpp"
#include "dump/output/chunk_copier.hpp"
#include "dump/output/chunk_plan.hpp"

#include <atomic>
#include <iterator>
#include <mutex>

namespace ballast::dump {

namespace {

constexpr std::size_t problems_to_keep = 1000;

void add(PageCheck &check, Pfn pfn, const ReadError &error) {
    switch (error.kind()) {
    case ReadError::Kind::damaged:
        check.damaged++;
        break;
    case ReadError::Kind::lost:
        check.lost++;
        break;
    case ReadError::Kind::unreadable:
        check.unreadable++;
        break;
    case ReadError::Kind::failed:
        check.failed++;
        break;
    }
    check.problems.emplace(pfn, error.what());
    if (check.problems.size() > problems_to_keep) {
        check.problems.erase(std::prev(check.problems.end()));
    }
}

} // namespace

PageCheck check_pages(const Core &core, unsigned threads, ProgressSink &progress) {
    const Bitmap pages = core.with_data();
    const ChunkPlan plan(pages, ChunkCopier::chunk_pages(Codec::raw, core.page_size()));
    PageCheck check;
    check.pages = plan.pages();
    Bitmap not_present = pages;
    not_present.keep(core.present(), false);
    check.not_present = not_present.count();

    std::mutex mutex;
    std::atomic<std::uint64_t> next = 0;
    progress.begin("Reading all pages", plan.pages());
    run_workers(threads, [&](const std::stop_token &stop) {
        PageReader reader = core.reader();
        for (std::uint64_t n = next++; n < plan.chunks() && !stop.stop_requested(); n = next++) {
            const Chunk chunk = plan.chunk(n);
            SetBits pfns(pages, chunk.first);
            for (std::uint64_t page = 0; page < chunk.pages; page++) {
                const Pfn pfn = pfns.next();
                try {
                    reader.page(pfn);
                } catch (const ReadError &error) {
                    const std::lock_guard guard(mutex);
                    add(check, pfn, error);
                }
            }
            progress.add(chunk.pages);
        }
    });
    progress.end();
    return check;
}

} // namespace ballast::dump
