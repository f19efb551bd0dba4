// SPDX-License-Identifier: GPL-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "control/file.hpp"

namespace ballast::control {

/** A balloon's attributes, read one after the other while it may be moving. Counters are pages since its module's load.
 */
struct BalloonStatus {
    std::uint64_t target_bytes = 0;
    std::uint64_t target_pages = 0;
    std::uint64_t size_bytes = 0;
    std::uint64_t size_pages = 0;
    std::uint64_t inflated = 0;
    std::uint64_t deflated = 0;
    /** Absent, like putback, where the kernel's own balloon isolates pages: it tells nobody. */
    std::optional<std::uint64_t> isolated;
    std::uint64_t migrated = 0;
    std::optional<std::uint64_t> putback;
    std::uint64_t inflate_failed = 0;
    /** Pages that are isolated at this moment. */
    std::uint64_t isolated_now = 0;
    /** What inflation leaves to the machine. */
    std::uint64_t min_free_bytes = 0;
    /** How often inflation stopped there. */
    std::uint64_t min_free_stops = 0;
    /** Blocks of 2 MiB that are in the balloon at this moment; their pages count as size. */
    std::uint64_t huge_now = 0;
    /** How often there was no block to be had, and single pages were taken. */
    std::uint64_t huge_fallback = 0;
    /** Blocks that became single pages. */
    std::uint64_t huge_split = 0;
    /** Pages whose content was not what the balloon had put there; absent without check_content=1. */
    std::optional<std::uint64_t> content_errors;
};

/** How far a balloon is on its way to its target. */
struct BalloonProgress {
    std::uint64_t size_bytes = 0;
    std::uint64_t target_bytes = 0;
    /** Mean rate since the wait began, whichever the direction. */
    double bytes_per_second = 0;
    /** At that rate; absent while nothing has moved. */
    std::optional<std::chrono::seconds> left;
};

struct WaitOptions {
    /** Absent: as long as the size changes. */
    std::optional<std::chrono::milliseconds> time_limit;
    /** The wait is given up when the size has not changed for this long. */
    std::chrono::milliseconds no_progress_limit = std::chrono::seconds(10);
    /** The longest time between two reports. */
    std::chrono::milliseconds tick = std::chrono::milliseconds(500);
    /** Called at each tick or change, and once at the end; empty: no reports. */
    std::function<void(const BalloonProgress &)> report;
};

/** A balloon of balloon_kvm.ko, through its device's group `balloon/` in sysfs. */
class Balloon {
  public:
    /** @param group the folder that holds target_bytes and the others */
    explicit Balloon(std::filesystem::path group);

    /** All balloons of this machine, by name: the software one and those of virtio devices. */
    static std::vector<Balloon> find_all(const std::filesystem::path &sysfs = "/sys");

    /**
     * This machine's balloon.
     *
     * @param name which one, where there are several; empty: the only one
     * @throws Error no_such_device: none, or none of that name; invalid_argument: several and no name
     */
    static Balloon find(const std::string &name = "", const std::filesystem::path &sysfs = "/sys");

    /** Its device's name: balloon-kvm is the software balloon. */
    [[nodiscard]] std::string name() const { return group_.parent_path().filename(); }
    [[nodiscard]] const std::filesystem::path &group() const { return group_; }

    [[nodiscard]] BalloonStatus status() const;

    /** Is the target the host's to set? So it is on a virtio device. */
    [[nodiscard]] bool host_sets_target() const;

    /**
     * Sets the target; the balloon goes there in the background. Bytes are rounded down to whole pages.
     *
     * @throws Error result_out_of_range: more than the machine's memory; operation_not_permitted: the target is the
     * host's; permission_denied; invalid_argument
     */
    void set_target_bytes(std::uint64_t bytes) const { set_target("target_bytes", bytes, bytes); }
    void set_target_pages(std::uint64_t pages) const;

    /**
     * Returns when size == target.
     *
     * @throws Error timed_out: past the time limit, or without progress; the message holds size, target and what
     * failed; operation_canceled: the target was changed during the wait, as the module does when the machine is out of
     * memory
     */
    void wait(const WaitOptions &options = {}) const;

    /**
     * Checks the content of all pages in the balloon now: each intact, each there exactly once.
     *
     * @return mismatches found by this check
     * @throws Error not_supported: the module was loaded without check_content=1
     */
    [[nodiscard]] std::uint64_t check_content() const;

    /**
     * A file descriptor on the balloon's inode in the pseudo file system balloon-kvm; the module stays while it is
     * open.
     *
     * @throws Error permission_denied; no_such_file_or_directory: no device node /dev/balloon-kvm
     */
    [[nodiscard]] FileDescriptor open_inode() const;

  private:
    void set_target(const std::string &attribute, std::uint64_t value, std::uint64_t bytes) const;

    std::filesystem::path group_;
};

} // namespace ballast::control
