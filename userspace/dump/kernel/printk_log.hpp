// SPDX-License-Identifier: GPL-2.0
#pragma once

#include "dump/input/vmcoreinfo.hpp"
#include "dump/kernel/address_space.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace ballast::dump {

/** A record of the kernel's log. */
struct LogRecord {
    std::uint64_t sequence = 0;
    std::uint64_t time = 0;              // ns since boot
    std::optional<std::uint32_t> caller; // a thread's id, or, with the highest bit set, a CPU's number
    bool continues = false;              // goes on with what its caller wrote before
    bool ends_line = true;
    std::string text; // may hold several lines
};

/**
 * The kernel's log: the printk ring buffer of 5.10 and later (kernel/printk/printk_ringbuffer.h), found and understood
 * by VMCOREINFO alone.
 */
class PrintkLog {
  public:
    /** Empty where VMCOREINFO doesn't tell of it, or its head can't be read. Throws Error on a read error. */
    static std::optional<PrintkLog> find(const Vmcoreinfo &vmcoreinfo, AddressSpace &memory);

    /** Address and size of each part of it in memory. */
    [[nodiscard]] std::vector<std::pair<std::uint64_t, std::uint64_t>> parts() const;

    /**
     * The records, oldest first; those that a writer was still at, or whose text was overwritten, are left out. Throws
     * Error on a read error and where a part of the log is not in the core.
     */
    [[nodiscard]] std::vector<LogRecord> records(AddressSpace &memory) const;

  private:
    /** Where members stand in the kernel's structs. */
    struct Layout {
        std::uint64_t descriptor_size, info_size;
        std::uint64_t state, begin, next;             // of prb_desc
        std::uint64_t sequence, time, length, caller; // of printk_info
        bool has_caller;
    };

    static std::optional<Layout> layout_from(const Vmcoreinfo &vmcoreinfo);

    Layout layout_{};
    std::uint64_t address_ = 0; // of struct printk_ringbuffer, and its size
    std::uint64_t size_ = 0;
    std::uint64_t descriptors_ = 0; // addresses
    std::uint64_t infos_ = 0;
    std::uint64_t texts_ = 0;
    std::uint64_t count_ = 0;     // of descriptors
    std::uint64_t text_size_ = 0; // bytes
    std::uint64_t head_ = 0;      // the newest record's id
    std::uint64_t tail_ = 0;      // the oldest's
};

/** The sequence number that the log was last cleared up to (`dmesg --clear`). Empty where it can't be told. */
std::optional<std::uint64_t> cleared_sequence(const Vmcoreinfo &vmcoreinfo, AddressSpace &memory);

/**
 * The records from `first_sequence` on, line by line as dmesg prints them, each with its time and, as kernels with
 * CONFIG_PRINTK_CALLER do, its caller. What continues a line is added to it.
 */
std::string log_text(const std::vector<LogRecord> &records, std::uint64_t first_sequence = 0);

} // namespace ballast::dump
