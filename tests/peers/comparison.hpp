// SPDX-License-Identifier: GPL-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace ballast::peers {

/** Page frame numbers begin to end - 1. */
struct PfnRange {
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
};

/** Page frame numbers, added in rising order, kept as ranges. */
class PfnSet {
  public:
    void add(std::uint64_t pfn);
    [[nodiscard]] std::uint64_t count() const { return count_; }
    [[nodiscard]] const std::vector<PfnRange> &ranges() const { return ranges_; }

  private:
    std::vector<PfnRange> ranges_;
    std::uint64_t count_ = 0;
};

/** How two dumps of one machine differ. */
struct Comparison {
    std::vector<std::string> header; /**< one line for each field that differs */
    PfnSet present_in_first;         /**< bitmap 1 has them in the first dump only */
    PfnSet present_in_second;
    PfnSet dumped_in_first; /**< bitmap 2 has them in the first dump only */
    PfnSet dumped_in_second;
    PfnSet content;               /**< in both dumps, with other bytes */
    PfnSet unreadable;            /**< in both dumps by their bitmaps, but libkdumpfile can't read one of them */
    std::string first_unreadable; /**< what libkdumpfile said of the first of these */
    std::uint64_t pages_compared = 0;

    [[nodiscard]] bool equal() const;
    /** A few lines for a person: each difference with its first ranges. */
    [[nodiscard]] std::string describe() const;
};

/**
 * Compares two kdump-compressed files: what the headers say of the machine and the level, both bitmaps bit by bit, then
 * the bytes of each page that both hold, read through libkdumpfile. The compressor, the order of the data and the time
 * stamp may differ. Throws std::runtime_error where one of them can't be opened.
 */
Comparison compare_dumps(const std::string &first, const std::string &second);

} // namespace ballast::peers
