// SPDX-License-Identifier: GPL-2.0
#pragma once

#include "dump/input/bitmap.hpp"
#include "dump/input/elf_headers.hpp"
#include "dump/input/file.hpp"
#include "dump/input/memory_map.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ballast::dump {

class PageReader;

/**
 * An ELF64 little endian vmcore of an x86-64 machine: a file or /proc/vmcore. Readers refer to it: it must outlive
 * them, and stay where it is while they are in use.
 */
class Core {
  public:
    /**
     * Opens and checks everything but the pages' content: headers, notes, and that the data of each PT_LOAD is there.
     * Throws Error for what isn't such a core, or is cut off.
     */
    static Core open(const std::string &path);

    [[nodiscard]] const std::string &path() const { return file_.path(); }

    /** Bytes in a page, from VMCOREINFO. */
    [[nodiscard]] std::uint64_t page_size() const { return page_size_; }

    /** One past the highest pfn that a PT_LOAD holds: the dump's max_mapnr. */
    [[nodiscard]] Pfn max_pfn() const;

    /** All note segments, one after the other (the kernel writes one). */
    [[nodiscard]] std::span<const std::byte> notes() const { return headers_.notes; }

    /** The text of VMCOREINFO: a part of notes(). */
    [[nodiscard]] std::string_view vmcoreinfo() const;

    /** The first NT_PRSTATUS note with its header and name: a part of notes(), empty where there is none. */
    [[nodiscard]] std::span<const std::byte> prstatus_note() const;

    /** How many NT_PRSTATUS notes: one for each CPU that the kernel stopped. */
    [[nodiscard]] unsigned prstatus_count() const { return headers_.prstatus_count; }

    /** The pfns that a PT_LOAD holds, be it in part. */
    [[nodiscard]] Bitmap present() const;

    /**
     * The present pfns whose last byte is in the file. Not among them: pages of a PT_LOAD's memory beyond its data, and
     * the incomplete page at a PT_LOAD's unaligned end, which the kernel can't have managed. makedumpfile leaves out
     * both too.
     */
    [[nodiscard]] Bitmap with_data() const;

    /** Which physical addresses stand where in the file. */
    [[nodiscard]] const MemoryMap &memory() const { return memory_; }

    [[nodiscard]] const File &file() const { return file_; }

    /** One for each thread that reads. */
    [[nodiscard]] PageReader reader() const;

  private:
    Core(File file, CoreHeaders headers);

    File file_;
    CoreHeaders headers_;
    MemoryMap memory_;
    std::uint64_t page_size_ = 0;
};

} // namespace ballast::dump
