// SPDX-License-Identifier: GPL-2.0
#pragma once

#include <cstdint>
#include <string_view>

namespace ballast::bench {

constexpr std::uint64_t page_size = 4096;
constexpr std::uint64_t block_size = 2 << 20;

/** How often something happened since boot, as /proc/vmstat counts it; 0 where the kernel does not. */
std::uint64_t event(std::string_view name);

/** Free blocks of 2 MiB: those in larger ones count as well (/proc/buddyinfo). */
std::uint64_t free_blocks();

/** MemFree in bytes. */
std::uint64_t memory_free();

/** No transparent huge pages, no background compaction: nothing moves or merges pages that was not asked to. */
void quieten();

/** Drops the page cache, then moves pages all over the machine. */
void compact();

/** Free pages that CPUs keep for themselves go back to where they merge: some hundred hide that many blocks else. */
void empty_free_lists_of_cpus();

} // namespace ballast::bench
