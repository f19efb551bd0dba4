// SPDX-License-Identifier: GPL-2.0
#include "dump/kernel/memory_section.hpp"

#include "dump/input/x86_64.hpp"

#include <algorithm>
#include <cstring>
#include <fmt/format.h>
#include <optional>
#include <span>

namespace ballast::dump {

namespace {

// Low bits of section_mem_map are flags, the second of which says that there is a mem_map. How many flags there are
// differs between kernels; the address above them is that of a whole page.
constexpr std::uint64_t has_mem_map = 2;

constexpr std::int64_t usual_section_bits = 27; // arch/x86/include/asm/sparsemem.h; makedumpfile -g doesn't tell it

/**
 * The array of pointers. The kernel tells where it is; a VMCOREINFO that was made of a vmlinux tells where the kernel's
 * image has the pointer to it. The array itself is not in the image.
 */
std::optional<std::uint64_t> array_of_roots(const Vmcoreinfo &vmcoreinfo, AddressSpace &memory) {
    const auto symbol = vmcoreinfo.symbol("mem_section");
    if (!symbol || *symbol < kernel_text_start) {
        return symbol;
    }
    std::uint64_t roots = 0;
    return memory.read(*symbol, std::as_writable_bytes(std::span(&roots, 1))) ? std::optional(roots) : std::nullopt;
}

/** How mem_section is laid out. */
struct Layout {
    std::uint64_t roots = 0; // address of the array of pointers
    std::uint64_t root_count = 0;
    std::uint64_t entry_size = 0;
    std::uint64_t mem_map_offset = 0;
    std::uint64_t pages_per_section = 0;
    std::uint64_t struct_page_size = 0;
};

std::optional<Layout> layout_from(const Vmcoreinfo &vmcoreinfo, const SectionLayout &section, AddressSpace &memory,
                                  std::uint64_t struct_page_size, std::uint64_t page_size) {
    const auto roots = array_of_roots(vmcoreinfo, memory);
    // It covers all memory that there can be; so what there is needs no more.
    const std::uint64_t root_count = vmcoreinfo.length("mem_section").value_or(UINT64_MAX);
    const auto &entry_size = section.size;
    const auto &mem_map = section.section_mem_map;
    const std::int64_t section_bits = vmcoreinfo.text("NUMBER(SECTION_SIZE_BITS)")
                                          ? vmcoreinfo.number("SECTION_SIZE_BITS").value_or(0)
                                          : usual_section_bits;
    if (!roots || !entry_size || !mem_map || struct_page_size == 0) {
        return std::nullopt;
    }
    // Of numbers out of a damaged core none may make us read or divide nonsense.
    if (*entry_size < sizeof(std::uint64_t) || *entry_size > page_size ||
        *mem_map > *entry_size - sizeof(std::uint64_t) || section_bits < 20 || section_bits > 40) {
        return std::nullopt;
    }
    return Layout{.roots = *roots,
                  .root_count = root_count,
                  .entry_size = *entry_size,
                  .mem_map_offset = *mem_map,
                  .pages_per_section = (std::uint64_t{1} << section_bits) / page_size,
                  .struct_page_size = struct_page_size};
}

} // namespace

SectionLayout section_layout_from(const Vmcoreinfo &vmcoreinfo) {
    return {.size = vmcoreinfo.size("mem_section"),
            .section_mem_map = vmcoreinfo.offset("mem_section.section_mem_map")};
}

void complete(SectionLayout &layout, const Types &types) {
    if (!layout.size) {
        layout.size = types.size("mem_section");
    }
    if (!layout.section_mem_map) {
        layout.section_mem_map = types.offset("mem_section", "section_mem_map");
    }
}

std::vector<MemorySection> find_memory_sections(const Vmcoreinfo &vmcoreinfo, const SectionLayout &section,
                                                std::uint64_t struct_page_size, AddressSpace &memory,
                                                std::uint64_t page_size, Pfn max_pfn,
                                                std::vector<std::string> &remarks) {
    const auto layout = layout_from(vmcoreinfo, section, memory, struct_page_size, page_size);
    if (!layout) {
        remarks.emplace_back("the core doesn't tell where the struct pages are: all pages are kept");
        return {};
    }
    const std::uint64_t entries_per_root = page_size / layout->entry_size;
    const std::uint64_t pages_per_root = entries_per_root * layout->pages_per_section;
    const std::uint64_t root_count = std::min(layout->root_count, (max_pfn + pages_per_root - 1) / pages_per_root);

    std::vector<std::uint64_t> roots(root_count);
    if (!memory.read(layout->roots, std::as_writable_bytes(std::span(roots)))) {
        remarks.push_back(fmt::format("mem_section can't be read at {:#x}: all pages are kept", layout->roots));
        return {};
    }

    std::vector<MemorySection> sections;
    std::vector<std::byte> entries(entries_per_root * layout->entry_size);
    for (std::uint64_t root = 0; root < root_count; ++root) {
        if (roots[root] == 0) {
            continue;
        }
        if (!memory.read(roots[root], entries)) {
            remarks.push_back(
                fmt::format("the memory sections at {:#x} can't be read: their pages are kept", roots[root]));
            continue;
        }
        for (std::uint64_t entry = 0; entry < entries_per_root; ++entry) {
            std::uint64_t coded = 0;
            std::memcpy(&coded, &entries[entry * layout->entry_size + layout->mem_map_offset], sizeof coded);
            const Pfn first = root * pages_per_root + entry * layout->pages_per_section;
            if ((coded & has_mem_map) == 0 || first >= max_pfn) {
                continue;
            }
            // Coded so that adding a pfn's place in an array of struct pages gives that pfn's.
            const std::uint64_t base = coded / page_size * page_size;
            sections.push_back({.first = first,
                                .end = std::min(first + layout->pages_per_section, max_pfn),
                                .mem_map = base + first * layout->struct_page_size});
        }
    }
    return sections;
}

} // namespace ballast::dump
