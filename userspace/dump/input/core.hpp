// SPDX-License-Identifier: GPL-2.0
#pragma once

#include "dump/input/bitmap.hpp"
#include "dump/input/core_format.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ballast::dump {

class PageReader;

/** How a core is opened. */
struct CoreOptions {
    bool allow_mapping = true; // of /proc/vmcore, which is faster than reading it
    bool partial = false;      // accept some files of a split set without the others
    std::string vmcoreinfo{};  // text of VMCOREINFO, for a core without any or in place of its own; empty: none
};

/**
 * The memory of a dead x86-64 kernel: ELF64 (/proc/vmcore, a copy of it, QEMU's dump-guest-memory), kdump-compressed in
 * one file or a split set, each of them flattened or not. Readers refer to it: it must outlive them, and stay where it
 * is while they are in use.
 */
class Core {
  public:
    /**
     * Opens and checks everything but the pages' content: headers, notes, and that the data of each PT_LOAD is there.
     * Throws Error for what isn't such a core, or is cut off.
     */
    static Core open(const std::string &path);

    /** The same of a split set's files, in any order. */
    static Core open(std::span<const std::string> paths, const CoreOptions &options = {});

    /** Of the first file. */
    [[nodiscard]] const std::string &path() const { return path_; }

    /** Bytes in a page, from VMCOREINFO. */
    [[nodiscard]] std::uint64_t page_size() const { return page_size_; }

    /** One past the highest pfn that the core tells of: the dump's max_mapnr. */
    [[nodiscard]] Pfn max_pfn() const;

    /** All notes, one after the other. */
    [[nodiscard]] std::span<const std::byte> notes() const { return format_->notes().bytes(); }

    /** The text of VMCOREINFO: a part of notes(), unless CoreOptions gave another. */
    [[nodiscard]] std::string_view vmcoreinfo() const;

    /** The first NT_PRSTATUS note with its header and name: a part of notes(), empty where there is none. */
    [[nodiscard]] std::span<const std::byte> prstatus_note() const { return format_->notes().prstatus(); }

    /** How many NT_PRSTATUS notes: one for each CPU that the kernel stopped. */
    [[nodiscard]] unsigned prstatus_count() const { return format_->notes().prstatus_count(); }

    /** The pfns of the machine's memory: of an ELF core those that a PT_LOAD holds, be it in part. */
    [[nodiscard]] Bitmap present() const { return format_->present(page_size_); }

    /**
     * The present pfns whose last byte is in the file. Not among them: pages of a PT_LOAD's memory beyond its data, and
     * the incomplete page at a PT_LOAD's unaligned end, which the kernel can't have managed. makedumpfile leaves out
     * both too. Nor are pages that a dump already left out.
     */
    [[nodiscard]] Bitmap with_data() const { return format_->with_data(page_size_); }

    /** Physical memory with its virtual addresses, where the core tells any: an ELF core's PT_LOADs. */
    [[nodiscard]] std::vector<Segment> segments() const { return format_->segments(page_size_); }

    /** Of a core that is a kdump-compressed dump already. */
    [[nodiscard]] std::optional<DumpOrigin> origin() const { return format_->origin(); }

    /** What was erased from it when it was made, a line each. */
    [[nodiscard]] std::string eraseinfo() const {
        const auto from = origin();
        return from && !from->eraseinfo.empty() ? from->eraseinfo : format_->notes().eraseinfo();
    }

    [[nodiscard]] const CoreFormat &format() const { return *format_; }

    /** One for each thread that reads. */
    [[nodiscard]] PageReader reader() const;

  private:
    Core(std::string path, std::unique_ptr<CoreFormat> format, const CoreOptions &options);

    std::string path_;
    std::unique_ptr<CoreFormat> format_;
    std::optional<std::string> given_vmcoreinfo_;
    std::uint64_t page_size_ = 0;
};

} // namespace ballast::dump
