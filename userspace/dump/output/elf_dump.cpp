// SPDX-License-Identifier: GPL-2.0
#include "dump/output/elf_dump.hpp"

#include "dump/input/error.hpp"
#include "dump/input/page_reader.hpp"
#include "dump/input/workers.hpp"
#include "dump/output/chunk_copier.hpp"
#include "dump/output/chunk_plan.hpp"
#include "dump/output/elf_layout.hpp"
#include "dump/output/zero_page.hpp"

#include <algorithm>
#include <atomic>
#include <limits>

namespace ballast::dump {

namespace {

bool is_readable_zero(PageReader &reader, Pfn pfn) {
    try {
        return is_zero(reader.page(pfn));
    } catch (const ReadError &) {
        return false; // told when it is copied
    }
}

/** Clears the bits of the pages of zeros. How many there were. */
std::uint64_t drop_zero_pages(const DumpWork &work, Bitmap &pages) {
    const ChunkPlan plan(work.dumped, ChunkCopier::chunk_pages(Codec::raw, work.core.page_size()));
    std::atomic<std::uint64_t> next = 0;
    std::atomic<std::uint64_t> zeros = 0;
    work.progress.begin("Looking for zero pages", plan.pages());
    run_workers(work.options.threads, [&](const std::stop_token &stop) {
        PageReader reader = work.core.reader();
        for (std::uint64_t n = next++; n < plan.chunks() && !stop.stop_requested(); n = next++) {
            const Chunk chunk = plan.chunk(n);
            SetBits pfns(work.dumped, chunk.first);
            for (std::uint64_t page = 0; page < chunk.pages; page++) {
                const Pfn pfn = pfns.next();
                // In a page of which some is erased there are other bytes.
                const bool is_erased = work.options.erased != nullptr && work.options.erased->touches(pfn);
                if (!is_erased && is_readable_zero(reader, pfn)) {
                    zeros += pages.clear_range(pfn, pfn + 1);
                }
            }
            work.progress.add(chunk.pages);
        }
    });
    work.progress.end();
    return zeros;
}

} // namespace

CopyResult write_elf(const DumpWork &work, DumpResult &dump) {
    Bitmap pages = work.dumped;
    if ((work.options.dump_level & 1U) != 0) {
        dump.zero_pages = drop_zero_pages(work, pages);
    }
    const ElfLayout layout(work.core, work.machine, pages, work.options.eraseinfo);
    const auto outputs = open_outputs(work.options);
    Output *file = outputs.front().get();
    const ChunkPlan plan(layout.pages(), ChunkCopier::chunk_pages(Codec::raw, work.core.page_size()));
    const std::uint64_t end = layout.data() + plan.pages() * work.core.page_size();
    if (file != nullptr) {
        file->reserve(layout.data());
        file->write(0, layout.headers(end));
    }
    CopyJob job{.core = work.core, .pages = layout.pages(), .compression = {}, .erased = work.options.erased};
    job.parts.push_back({.file = file, .begin = 0, .end = plan.chunks(), .data = layout.data()});
    CopyResult result = copy_pages(job, work.options.threads, "Copying data", work.progress);
    if (file != nullptr && result.error && !file->in_order()) {
        // What is missing has no data, rather than data beyond the end of the file.
        file->write(0, layout.headers(result.parts.front().whole));
    }
    if (file != nullptr && !result.error) {
        file->close();
    }
    dump.bytes = end;
    return result;
}

} // namespace ballast::dump
