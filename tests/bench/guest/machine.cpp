// SPDX-License-Identifier: GPL-2.0
#include "machine.hpp"

#include <fstream>
#include <sstream>
#include <string>

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

} // namespace ballast::bench
