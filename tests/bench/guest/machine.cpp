// SPDX-License-Identifier: GPL-2.0
#include "machine.hpp"

#include <fstream>
#include <sstream>
#include <string>

#include <fmt/format.h>

#include "control/error.hpp"
#include "control/file.hpp"

namespace ballast::bench {

using control::write_text;

namespace {

/** The number on the line that begins with the word; 0 if there is none. */
std::uint64_t number_of(const char *path, std::string_view word) {
    std::ifstream file(path);
    for (std::string line; std::getline(file, line);) {
        std::istringstream fields(line);
        std::string key;
        std::uint64_t count = 0;
        if (fields >> key >> count && key == word) {
            return count;
        }
    }
    return 0;
}

/** A memory block (/sys/devices/system/memory) of which the kernel's own code takes a part. */
std::string block_of_the_kernel() {
    std::ifstream map("/proc/iomem");
    for (std::string line; std::getline(map, line);) {
        if (line.ends_with("Kernel code")) {
            const std::uint64_t size =
                std::stoull(control::read_text("/sys/devices/system/memory/block_size_bytes"), nullptr, 16);
            return fmt::format("/sys/devices/system/memory/memory{}", std::stoull(line, nullptr, 16) / size);
        }
    }
    throw control::Error(std::errc::not_supported, "/proc/iomem names no kernel code");
}

/** Whether a block that can't go is refused: before it finds out, the kernel empties all CPUs' lists. */
bool is_refused_offline(const std::string &block) {
    try {
        write_text(block + "/state", "offline");
    } catch (const control::Error &) {
        return true;
    }
    return false;
}

} // namespace

std::uint64_t event(std::string_view name) {
    return number_of("/proc/vmstat", name);
}

std::uint64_t memory_free() {
    return number_of("/proc/meminfo", "MemFree:") << 10;
}

std::uint64_t free_blocks() {
    constexpr unsigned block_order = 9;
    std::ifstream file("/proc/buddyinfo");
    std::uint64_t blocks = 0;
    for (std::string line; std::getline(file, line);) {
        // Node 0, zone    DMA32      1      0 ...
        std::istringstream fields(line);
        std::string skipped;
        fields >> skipped >> skipped >> skipped >> skipped;
        unsigned order = 0;
        for (std::uint64_t count = 0; fields >> count; ++order) {
            blocks += order < block_order ? 0 : count << (order - block_order);
        }
    }
    return blocks;
}

void quieten() {
    write_text("/sys/kernel/mm/transparent_hugepage/enabled", "never");
    write_text("/proc/sys/vm/compaction_proactiveness", "0");
}

void compact() {
    write_text("/proc/sys/vm/drop_caches", "3");
    write_text("/proc/sys/vm/compact_memory", "1");
}

void empty_free_lists_of_cpus() {
    const std::string block = block_of_the_kernel();
    if (!is_refused_offline(block)) {
        throw control::Error(std::errc::io_error, block + " went offline with the kernel in it");
    }
}

} // namespace ballast::bench
