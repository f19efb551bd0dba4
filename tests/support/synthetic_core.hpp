// SPDX-License-Identifier: GPL-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

/** Flags, page types and destructors as Linux 6.1 has them, and as a SyntheticCore's VMCOREINFO tells. */
namespace page_flag {
constexpr std::uint64_t lru = 1U << 4;
constexpr std::uint64_t slab = 1U << 9;
constexpr std::uint64_t swapcache = 1U << 10;
constexpr std::uint64_t private_data = 1U << 13;
constexpr std::uint64_t head = 1U << 16;
constexpr std::uint64_t swapbacked = 1U << 19;
constexpr std::uint64_t hwpoison = 1U << 23;
} // namespace page_flag
namespace page_type {
constexpr std::int32_t none = -1;
constexpr std::int32_t buddy = -129;
constexpr std::int32_t offline = -257;
} // namespace page_type
constexpr std::uint8_t compound_dtor = 1;
constexpr std::uint8_t hugetlb_dtor = 2;

/** A struct page, before it is laid out. */
struct SyntheticPage {
    std::uint64_t flags = 0;
    std::uint64_t mapping = 0;
    std::uint64_t private_data = 0;
    std::uint64_t compound_head = 0;
    std::int32_t mapcount = page_type::none;
    std::uint8_t dtor = 0;
    std::uint8_t order = 0;
};

/** A PT_LOAD. */
struct SyntheticSegment {
    std::uint64_t physical = 0;
    std::uint64_t memory_size = 0;
    std::optional<std::uint64_t> file_size; // where it differs from memory_size
};

struct SyntheticNote {
    std::string name;
    std::uint32_t type = 0;
    std::vector<std::byte> description;
};

/** Where things came to stand in the file. */
struct SyntheticLayout {
    std::uint64_t program_headers = 0;
    std::uint64_t program_headers_size = 0;
    std::uint64_t notes = 0;
    std::uint64_t notes_size = 0;
    std::vector<std::uint64_t> segments; // where the data of each starts
    std::uint64_t size = 0;
};

/**
 * A core of a machine that never ran: an ELF file as /proc/vmcore gives it, of an x86-64 kernel with page tables,
 * memory sections and struct pages. Everything can be changed before it is written; files of any size are sparse, so
 * that a gigabyte costs little.
 *
 * There are 256 MiB of memory by default, in two sections. The kernel and its tables take the first pages from 16 MiB
 * on, struct pages stand from 32 MiB on.
 */
class SyntheticCore {
  public:
    struct Options {
        unsigned levels = 4;
        std::int64_t phys_base = 0;
        bool huge_mem_map = true; // struct pages mapped by 2 MiB, else by 4 KiB
        std::uint64_t struct_page_size = 64;
        std::uint64_t memory = std::uint64_t{256} << 20;
        bool one_mem_map = false; // all sections' struct pages are the first section's, mapped again and again
    };

    SyntheticCore() : SyntheticCore(Options{}) {}
    explicit SyntheticCore(const Options &options);

    static constexpr std::uint64_t page_size = 4096;
    static constexpr std::uint64_t pages_per_section = 32768;
    static constexpr std::uint64_t kernel_physical = 0x1000000;
    static constexpr std::uint64_t mem_map_physical = 0x2000000;

    /** VMCOREINFO, key to value: SYMBOL(…), OSRELEASE, … */
    std::map<std::string, std::string> vmcoreinfo;

    /** The PT_LOADs: at first 0x1000 to 0x9fc00, and 1 MiB to the end of memory. */
    std::vector<SyntheticSegment> segments;

    /** Notes before VMCOREINFO: at first one NT_PRSTATUS of "CORE". */
    std::vector<SyntheticNote> notes;

    /** The content of a page, zeros at first. */
    std::array<std::byte, page_size> &page(std::uint64_t pfn) { return pages_[pfn]; }

    void write_physical(std::uint64_t physical, std::span<const std::byte> bytes);

    /** Sets a struct page. */
    void set(std::uint64_t pfn, const SyntheticPage &page);

    /** Sets the struct pages of 2^order pages: a compound page's head, its tails behind it. */
    void set_compound(std::uint64_t pfn, SyntheticPage head, std::uint8_t order, std::uint8_t dtor = compound_dtor);

    /** A free block of the buddy allocator. */
    void set_free(std::uint64_t pfn, std::uint64_t order) {
        set(pfn, {.private_data = order, .mapcount = page_type::buddy});
    }

    /** Takes away the mapping of the struct pages of a section. */
    void unmap_struct_pages(std::uint64_t section);

    /** The virtual address of physical memory in the direct map, and of the kernel's image. */
    [[nodiscard]] std::uint64_t direct(std::uint64_t physical) const;
    [[nodiscard]] std::uint64_t image(std::uint64_t physical) const;

    // NOLINTNEXTLINE(modernize-use-nodiscard): most tests don't ask where things are
    SyntheticLayout write(const std::filesystem::path &path) const;

  private:
    template<typename Number>
    void put(std::uint64_t physical, Number number) {
        write_physical(physical, std::as_bytes(std::span(&number, 1)));
    }
    std::uint64_t entry_of(std::uint64_t address, unsigned level);
    void map(std::uint64_t address, std::uint64_t physical, unsigned level);
    void describe_kernel();
    void describe_sections();
    [[nodiscard]] std::uint64_t mem_map_of(std::uint64_t section) const;
    [[nodiscard]] std::vector<std::byte> note_bytes() const;

    Options options_;
    std::uint64_t next_table_; // physical address of the next page for a page table
    std::map<std::uint64_t, std::array<std::byte, page_size>> pages_; // by pfn; others are zeros
};
