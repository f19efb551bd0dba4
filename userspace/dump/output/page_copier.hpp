// SPDX-License-Identifier: GPL-2.0
#pragma once

#include "dump/input/progress.hpp"
#include "dump/output/copy_job.hpp"

#include <cstdint>
#include <exception>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace ballast::dump {

/** Pages that could not be read; zeros stand for them. */
struct UnreadablePages {
    std::uint64_t count = 0;
    std::uint64_t lost = 0;             // of them: a core that is a dump should have them, but was cut off or damaged
    std::map<Pfn, std::string> reasons; // of the first of them
};

/** What came of a part. Offsets in bytes. */
struct CopiedPart {
    std::uint64_t end = 0;   // one past the last byte of page data; only without error
    std::uint64_t whole = 0; // up to here all data is there
};

struct CopyResult {
    std::uint64_t pages = 0;      // that are in the file, with a descriptor where the format has them
    std::uint64_t zero_pages = 0; // of these, that share one copy
    std::uint64_t same_pages = 0; // of these, that share another page's data
    UnreadablePages unreadable;
    std::vector<CopiedPart> parts;
    std::exception_ptr error; // what stopped it before all pages were stored
};

/**
 * Copies the pages and their descriptors into the files. Threads claim chunks of consecutive dumped pages, of the parts
 * in turn; each compresses its chunk into a buffer of its own and writes it once the sizes of all before are known and
 * no other thread writes to the file. Until then it goes on with others, as far as its buffer has room. So the files
 * are the same for any number of threads.
 *
 * The first error of any thread stops all. What is in the files then is consistent: a descriptor is written after its
 * page.
 */
CopyResult copy_pages(const CopyJob &job, unsigned threads, std::string_view step, ProgressSink &progress);

} // namespace ballast::dump
