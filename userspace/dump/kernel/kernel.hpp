// SPDX-License-Identifier: GPL-2.0
#pragma once

#include "dump/input/core.hpp"
#include "dump/kernel/kernel_memory.hpp"
#include "dump/kernel/memory_section.hpp"
#include "dump/kernel/page_layout.hpp"
#include "dump/kernel/page_tables.hpp"
#include "dump/kernel/symbols.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace ballast::dump {

/** struct new_utsname: six strings of 65 bytes each: sysname, nodename, release, version, machine, domainname. */
constexpr std::size_t utsname_field = 65;
using Utsname = std::array<char, 6 * utsname_field>;

/** What the dead kernel says of itself. */
class Kernel {
  public:
    /**
     * Reads it out of the core: what VMCOREINFO doesn't tell of struct page the kernel's BTF does, or else the debug
     * information of the file vmlinux, if one is named. A kernel that isn't understood has no sections, so that all its
     * pages are kept, and remarks that say so. Throws Error on a read error, also of vmlinux.
     */
    static Kernel describe(const Core &core, const std::string &vmlinux = "");

    /** Physical minus virtual address of the kernel's text mapping, which starts at 0xffffffff80000000; can be
     * negative. */
    [[nodiscard]] std::int64_t phys_base() const { return phys_base_; }

    [[nodiscard]] const std::string &release() const { return release_; }

    [[nodiscard]] const Utsname &utsname() const { return utsname_; }

    /** Where in memory it stands; empty where the kernel's memory isn't understood. */
    [[nodiscard]] std::optional<std::uint64_t> utsname_physical() const { return utsname_physical_; }

    /** Seconds since 1970 at the crash, where the kernel says so. */
    [[nodiscard]] std::optional<std::int64_t> crash_time() const { return crash_time_; }

    /** Where struct pages are, and how they look. */
    [[nodiscard]] const std::vector<MemorySection> &sections() const { return sections_; }
    [[nodiscard]] const PageLayout &page_layout() const { return page_layout_; }

    /** Pages that stay in a dump whatever is said of them, sorted, disjoint. */
    [[nodiscard]] const std::vector<PfnRange> &own_memory() const { return memory_.all; }

    /** Those of them that a reader goes through to find anything. */
    [[nodiscard]] const std::vector<PfnRange> &way_in() const { return memory_.way_in; }

    [[nodiscard]] const PageTables &page_tables() const { return page_tables_; }

    /** What was not understood, a line each; such pages are kept. */
    [[nodiscard]] const std::vector<std::string> &remarks() const { return remarks_; }

  private:
    void find_layouts(const Vmcoreinfo &vmcoreinfo, const Symbols &symbols, AddressSpace &memory,
                      const std::string &vmlinux);

    std::int64_t phys_base_ = 0;
    std::string release_;
    Utsname utsname_{};
    std::optional<std::uint64_t> utsname_physical_;
    std::optional<std::int64_t> crash_time_;
    std::vector<MemorySection> sections_;
    PageLayout page_layout_;
    SectionLayout section_layout_;
    PageTables page_tables_;
    KernelMemory memory_;
    std::vector<std::string> remarks_;
};

} // namespace ballast::dump
