// SPDX-License-Identifier: GPL-2.0
#pragma once

#include "kdumpfile.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace ballast::peers {

/** One record of the kernel's log. */
struct LogRecord {
    std::uint64_t time_ns = 0; /**< since boot */
    std::string text;          /**< may hold several lines */
};

/**
 * The kernel's log, oldest record first, read out of the printk ring buffer (kernels from 5.10 on; kernel/printk/
 * printk_ringbuffer.h) where vmcoreinfo says it is. Throws KdumpfileError where memory that it needs is not in the
 * dump, std::runtime_error where vmcoreinfo lacks the ring buffer.
 */
std::vector<LogRecord> printk_log(const Kdumpfile &dump);

/** The records as lines, each with the time since boot, as `dmesg` prints them. */
std::vector<std::string> dmesg_lines(const std::vector<LogRecord> &records);

} // namespace ballast::peers
