// SPDX-License-Identifier: GPL-2.0
#pragma once

#include "dump/input/progress.hpp"
#include "dump/output/copy_job.hpp"

#include <cstdint>
#include <exception>

namespace ballast::dump {

struct CopyResult {
    std::uint64_t pages = 0;      // that have a descriptor in the file
    std::uint64_t zero_pages = 0; // of these, that share one copy
    std::uint64_t end = 0;        // one past the last byte of page data; only without error
    std::exception_ptr error;     // what stopped it before all pages were stored
};

/**
 * Copies the dumped pages and their descriptors into the file. Threads claim chunks of consecutive dumped pages with
 * one atomic add; each compresses its chunk into a buffer of its own, gets its place as soon as the chunk before knows
 * its size, and writes. So the file is the same for any number of threads.
 *
 * The first error of any thread stops all. What is in the file then is consistent: a descriptor is written after its
 * page.
 */
CopyResult copy_pages(const CopyJob &job, unsigned threads, ProgressSink &progress);

} // namespace ballast::dump
