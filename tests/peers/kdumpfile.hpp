// SPDX-License-Identifier: GPL-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <libkdumpfile/kdumpfile.h>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

namespace ballast::peers {

/** What libkdumpfile says when it can't do something. */
class KdumpfileError : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

/** Closes the file when it goes. */
class FileDescriptor {
  public:
    explicit FileDescriptor(int fd) : fd_(fd) {}
    FileDescriptor(const FileDescriptor &) = delete;
    FileDescriptor &operator=(const FileDescriptor &) = delete;
    FileDescriptor(FileDescriptor &&) = delete;
    FileDescriptor &operator=(FileDescriptor &&) = delete;
    ~FileDescriptor();
    [[nodiscard]] int get() const { return fd_; }

  private:
    int fd_;
};

/** A dump (or an ELF core) opened by libkdumpfile. Every failure throws KdumpfileError with the library's own words. */
class Kdumpfile {
  public:
    explicit Kdumpfile(const std::string &path) : Kdumpfile(std::vector<std::string>{path}) {}
    /** The files of a split one. */
    explicit Kdumpfile(const std::vector<std::string> &paths);

    [[nodiscard]] std::uint64_t page_size() const;
    [[nodiscard]] std::string release() const;
    /** A line of vmcoreinfo by its key, SYMBOL(prb) for one; nothing where there is no such line. */
    [[nodiscard]] std::optional<std::string> vmcoreinfo(const std::string &key) const;

    /** Reads page pfn, whose bytes fill the buffer. */
    void read_page(std::uint64_t pfn, std::span<std::byte> buffer) const;
    /** Reads memory at a kernel virtual address, which libkdumpfile translates. */
    void read_kernel(std::uint64_t address, std::span<std::byte> buffer) const;
    /** The physical address of a kernel virtual one. */
    [[nodiscard]] std::uint64_t physical(std::uint64_t address) const;
    /** Where each CPU's stack was, for CPUs that left their registers. */
    [[nodiscard]] std::vector<std::uint64_t> stack_pointers() const;

  private:
    struct FreeContext {
        void operator()(kdump_ctx_t *context) const { kdump_free(context); }
    };
    void read(kdump_addrspace_t space, std::uint64_t address, std::span<std::byte> buffer) const;
    [[noreturn]] void fail(const std::string &what) const;

    std::string path_; // of the first
    std::vector<std::unique_ptr<FileDescriptor>> files_;
    std::unique_ptr<kdump_ctx_t, FreeContext> context_;
};

} // namespace ballast::peers
