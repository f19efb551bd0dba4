// SPDX-License-Identifier: GPL-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "control/file.hpp"

namespace ballast::guest {

/** The number after a key at a line's beginning, as in /proc/meminfo and /proc/vmstat; throws control::Error without
 * it. */
std::uint64_t number_of(const std::filesystem::path &file, std::string_view key);

/** MemTotal, MemFree and so on, in bytes. */
std::uint64_t memory(std::string_view key);

/** MemFree and what lies in the CPUs' own lists, which may be tens of MiB, in bytes. */
std::uint64_t free_memory();

/** How often something happened since boot, as /proc/vmstat counts it. */
std::uint64_t event(std::string_view name);

/** The pages that each zone hands out, in the order of /proc/zoneinfo. */
std::vector<std::uint64_t> managed_pages();

/** Does a line of the file hold the text? */
bool holds_line_with(const std::filesystem::path &file, std::string_view text);

/** Is the running kernel older than that? For what no file tells. */
bool kernel_is_before(unsigned major, unsigned minor);

/** What the kernel logs from now on, however much older lines make room for it. */
class NewLogLines {
  public:
    NewLogLines();

    /** How many lines with the text came since this was made, or asked last. */
    std::uint64_t with(std::string_view text);

  private:
    control::FileDescriptor file_;
};

/** Page migration all over the machine, until it finds no more to do. */
void compact_memory();

/** Gives back what only caches files and names. */
void drop_caches();

/** From now on the kernel compacts memory only when asked to. */
void stop_background_compaction();

/**
 * Runs a process that needs memory; returns whether it got it all, rather than being killed: it is the first that the
 * kernel kills for memory.
 */
bool allocate_in_process(std::uint64_t bytes);

/** Polls until the condition holds; a test that waits for minutes in vain fails. */
void wait_until(const std::function<bool()> &condition);

/**
 * Does something again and again as long as it lives. What the machine refuses once it may do the next time. No
 * assertions in it: Catch2's are for one thread.
 */
class Background {
  public:
    explicit Background(std::function<void()> action);

  private:
    std::jthread thread_;
};

/** A memory block that the kernel can take offline. */
class MemoryBlock {
  public:
    /**
     * Those in zone Movable that are known to go offline and back: not the last one, which has a hole, nor where the
     * kernel's image came to lie. A test without any fails: boot with kernelcore=40% and 1 GiB.
     */
    static std::vector<MemoryBlock> find_movable();

    void set_offline() const { set_state("offline"); }
    void set_online() const { set_state("online_movable"); }
    /** After a storm, which may have ended with the block offline or not. */
    void set_online_again() const;
    [[nodiscard]] bool holds(std::uint64_t page_frame) const {
        return page_frame >= first_page_frame_ && page_frame - first_page_frame_ < page_frames_;
    }

  private:
    explicit MemoryBlock(std::filesystem::path folder);
    void set_state(std::string_view state) const;

    std::filesystem::path folder_;
    std::uint64_t page_frames_;
    std::uint64_t first_page_frame_;
};

/**
 * Free memory in small holes: a file in memory, half of what is available in size, of which every other 16 KiB is given
 * back. What is allocated while it is there comes to lie in the holes.
 */
class HoledMemory {
  public:
    HoledMemory();

    /** The bytes of all holes. */
    [[nodiscard]] std::uint64_t free_bytes() const { return size_ / 2; }

  private:
    std::uint64_t size_;
    control::FileDescriptor file_;
};

} // namespace ballast::guest
