// SPDX-License-Identifier: GPL-2.0
#pragma once

#include "dump/input/error.hpp"
#include "dump/output/output.hpp"

#include <atomic>
#include <cstdint>
#include <limits>
#include <span>
#include <string>

namespace ballast::dump {

/** No room: the disk, a quota, or a limit on the file's size. A smaller dump may do. */
class DiskFull : public Error {
  public:
    using Error::Error;
};

/**
 * Throws Error for what open would refuse after minutes of filtering: DUMPFILE exists and shall not be overwritten, is
 * one of the cores itself, or can't be created.
 */
void check_output(const std::string &path, bool overwrite, std::span<const std::string> cores);

/** A file on a disk. */
class OutputFile final : public Output {
  public:
    static constexpr std::uint64_t no_limit = std::numeric_limits<std::uint64_t>::max();

    /** Creates the file, readable by its owner alone. Throws Error; a file that exists is an error unless overwrite.
     * size_limit: bytes that it may have at most. */
    OutputFile(std::string path, bool overwrite, std::uint64_t size_limit = no_limit);
    OutputFile(const OutputFile &) = delete;
    OutputFile(OutputFile &&) = delete;
    OutputFile &operator=(const OutputFile &) = delete;
    OutputFile &operator=(OutputFile &&) = delete;
    ~OutputFile() override;

    void reserve(std::uint64_t size) override;
    [[nodiscard]] Written write_some(std::uint64_t offset, std::span<const std::byte> bytes) override;
    [[nodiscard]] bool has_holes() const override { return is_regular_; }
    [[nodiscard]] bool is_busy() const override { return writers_.load(std::memory_order_relaxed) != 0; }
    [[nodiscard]] Written leave_hole(std::uint64_t offset, std::uint64_t size) override;
    void close() override;
    [[noreturn]] void fail(int error) const override;

  private:
    void extend_over_holes() const;

    std::string path_;
    std::uint64_t size_limit_;
    int fd_;
    bool is_regular_ = false;                 // not a disk itself, which keeps what was there before
    std::atomic<std::uint64_t> holes_end_{0}; // of the last hole: the file may end there
    std::atomic<unsigned> writers_{0};
};

} // namespace ballast::dump
