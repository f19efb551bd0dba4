// SPDX-License-Identifier: GPL-2.0
#pragma once

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <span>

namespace ballast::dump {

/** How much of a write got into the file. error is 0, or the errno of what stopped it. */
struct Written {
    std::size_t bytes = 0;
    int error = 0;
};

/** Where a dump goes, written by several threads at once. Offsets and sizes in bytes. */
class Output {
  public:
    Output() = default;
    Output(const Output &) = delete;
    Output(Output &&) = delete;
    Output &operator=(const Output &) = delete;
    Output &operator=(Output &&) = delete;
    virtual ~Output() = default;

    /** Makes the file this long, zeros where nothing is written; with its disk space too where there is so much. */
    virtual void reserve(std::uint64_t size) = 0;

    /** Writes as much as goes. */
    [[nodiscard]] virtual Written write_some(std::uint64_t offset, std::span<const std::byte> bytes) = 0;

    /** Does the file read as zeros where nothing was written? */
    [[nodiscard]] virtual bool has_holes() const { return false; }

    /** Stands for writing as many zeros, in a file that has holes and has nothing there yet. */
    [[nodiscard]] virtual Written leave_hole(std::uint64_t /*offset*/, std::uint64_t /*size*/) {
        return {.error = EOPNOTSUPP};
    }

    /** Is another thread writing just now? Then a write would wait for it: a file is locked while it is written. */
    [[nodiscard]] virtual bool is_busy() const { return false; }

    /** Must writes come one after the other, in the order of the pages? */
    [[nodiscard]] virtual bool in_order() const { return false; }

    /** Throws Error: some file systems tell only here that what was written is lost. */
    virtual void close() = 0;

    /** The Error for an errno of write_some(): a DiskFull where it says so. */
    [[noreturn]] virtual void fail(int error) const = 0;

    /** Writes all or throws Error. */
    void write(std::uint64_t offset, std::span<const std::byte> bytes) {
        if (const Written written = write_some(offset, bytes); written.error != 0) {
            fail(written.error);
        }
    }
};

} // namespace ballast::dump
