// SPDX-License-Identifier: GPL-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace ballast::dump {

/**
 * Throws Error for what open would refuse after minutes of filtering: DUMPFILE exists and shall not be overwritten, is
 * the core itself, or can't be created.
 */
void check_output(const std::string &path, bool overwrite, const std::string &core_path);

/** How much of a write got into the file. error is 0, or the errno of what stopped it. */
struct Written {
    std::size_t bytes = 0;
    int error = 0;
};

/** The dump being written, by several threads at once. */
class OutputFile {
  public:
    /** Creates the file, readable by its owner alone. Throws Error; a file that exists is an error unless overwrite. */
    OutputFile(std::string path, bool overwrite);
    OutputFile(const OutputFile &) = delete;
    OutputFile(OutputFile &&) = delete;
    OutputFile &operator=(const OutputFile &) = delete;
    OutputFile &operator=(OutputFile &&) = delete;
    ~OutputFile();

    /** Makes the file this long, zeros where nothing is written; with its disk space too where there is so much. */
    void reserve(std::uint64_t size) const;

    /** Writes as much as goes. Offset in bytes. */
    [[nodiscard]] Written write_some(std::uint64_t offset, std::span<const std::byte> bytes) const;

    /** Writes all or throws Error. */
    void write(std::uint64_t offset, std::span<const std::byte> bytes) const;

    /** Throws Error: some file systems tell only here that what was written is lost. */
    void close();

    /** The Error for an errno of write_some(). */
    [[noreturn]] void fail(int error) const;

  private:
    std::string path_;
    int fd_;
};

} // namespace ballast::dump
