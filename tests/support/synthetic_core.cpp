// SPDX-License-Identifier: GPL-2.0
#include "support/synthetic_core.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <elf.h>
#include <fmt/format.h>
#include <fstream>
#include <stdexcept>

namespace {

constexpr std::uint64_t text_start = 0xffffffff80000000;

// Physical addresses, page by page from where the kernel starts.
constexpr std::uint64_t top_table = SyntheticCore::kernel_physical;
constexpr std::uint64_t uts_namespace = top_table + 0x1000;
constexpr std::uint64_t section_roots = top_table + 0x2000;
constexpr std::uint64_t first_table = top_table + 0x3000;
constexpr std::uint64_t image_size = 0x200000;

constexpr std::uint64_t uts_name_offset = 4;
constexpr std::uint64_t section_entry_size = 32;
constexpr std::uint64_t sections_per_root = SyntheticCore::page_size / section_entry_size;

constexpr std::uint64_t entry_flags = 0x63; // present, writable, accessed, dirty
constexpr std::uint64_t huge_flag = 0x80;

std::uint64_t level_shift(unsigned level) {
    return 12 + 9 * (level - 1);
}

std::uint64_t round_up(std::uint64_t n, std::uint64_t step) {
    return (n + step - 1) / step * step;
}

void append(std::vector<std::byte> &to, std::span<const std::byte> bytes) {
    to.insert(to.end(), bytes.begin(), bytes.end());
    to.resize(round_up(to.size(), 4));
}

void append_note(std::vector<std::byte> &to, const SyntheticNote &note) {
    const Elf64_Nhdr header{.n_namesz = static_cast<Elf64_Word>(note.name.size() + 1),
                            .n_descsz = static_cast<Elf64_Word>(note.description.size()),
                            .n_type = note.type};
    append(to, std::as_bytes(std::span(&header, 1)));
    append(to, std::as_bytes(std::span(note.name.c_str(), note.name.size() + 1)));
    append(to, note.description);
}

std::vector<std::byte> bytes_of(const std::string &text) {
    const auto bytes = std::as_bytes(std::span(text));
    return {bytes.begin(), bytes.end()};
}

void write_at(std::ofstream &file, std::uint64_t offset, std::span<const std::byte> bytes) {
    file.seekp(static_cast<std::streamoff>(offset));
    file.write(reinterpret_cast<const char *>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
}

} // namespace

SyntheticCore::SyntheticCore(const Options &options) : options_(options), next_table_(first_table) {
    segments = {{.physical = 0x1000, .memory_size = 0x9ec00, .file_size = {}},
                {.physical = 0x100000, .memory_size = options.memory - 0x100000, .file_size = {}}};
    notes = {{.name = "CORE", .type = NT_PRSTATUS, .description = std::vector<std::byte>(336)}};

    pages_[top_table / page_size]; // there even if nothing should be mapped
    for (std::uint64_t offset = 0; offset < image_size; offset += page_size) {
        map(image(kernel_physical + offset), kernel_physical + offset, 1);
    }
    for (std::uint64_t physical = 0; physical < options.memory; physical += std::uint64_t{1} << 30) {
        map(direct(physical), physical, 3);
    }
    describe_kernel();
    describe_sections();
}

std::uint64_t SyntheticCore::direct(std::uint64_t physical) const {
    return (options_.levels == 5 ? 0xff11000000000000 : 0xffff888000000000) + physical;
}

std::uint64_t SyntheticCore::image(std::uint64_t physical) const {
    return text_start + physical - static_cast<std::uint64_t>(options_.phys_base);
}

std::uint64_t SyntheticCore::mem_map_of(std::uint64_t section) const {
    const std::uint64_t vmemmap = options_.levels == 5 ? 0xffd4000000000000 : 0xffffea0000000000;
    return vmemmap + section * pages_per_section * options_.struct_page_size;
}

void SyntheticCore::write_physical(std::uint64_t physical, std::span<const std::byte> bytes) {
    while (!bytes.empty()) {
        const std::uint64_t within = physical % page_size;
        const auto piece = bytes.first(std::min<std::size_t>(bytes.size(), page_size - within));
        std::copy(piece.begin(), piece.end(), page(physical / page_size).begin() + static_cast<std::ptrdiff_t>(within));
        physical += piece.size();
        bytes = bytes.subspan(piece.size());
    }
}

/** The physical address of the entry that maps the address in a table of this level; tables above it are made. */
std::uint64_t SyntheticCore::entry_of(std::uint64_t address, unsigned level) {
    std::uint64_t table = top_table;
    for (unsigned above = options_.levels; above > level; --above) {
        const std::uint64_t place = table + (address >> level_shift(above)) % 512 * 8;
        std::uint64_t entry = 0;
        std::memcpy(&entry, &page(place / page_size)[place % page_size], sizeof entry);
        if (entry == 0) {
            entry = next_table_ | entry_flags;
            next_table_ += page_size;
            put(place, entry);
        }
        table = entry / page_size * page_size;
    }
    return table + (address >> level_shift(level)) % 512 * 8;
}

void SyntheticCore::map(std::uint64_t address, std::uint64_t physical, unsigned level) {
    put(entry_of(address, level), physical | entry_flags | (level > 1 ? huge_flag : 0));
}

void SyntheticCore::describe_kernel() {
    const std::string release = "6.1.0-synthetic";
    const std::array<std::string, 6> names{"Linux", "nowhere", release, "#1 SMP", "x86_64", "(none)"};
    for (std::size_t i = 0; i < names.size(); ++i) {
        write_physical(uts_namespace + uts_name_offset + i * 65, bytes_of(names[i]));
    }
    const auto symbol = [](std::uint64_t address) { return fmt::format("{:x}", address); };
    vmcoreinfo = {
        {"OSRELEASE", release},
        {"PAGESIZE", "4096"},
        {"CRASHTIME", "1700000000"},
        {"SYMBOL(init_uts_ns)", symbol(image(uts_namespace))},
        {"OFFSET(uts_namespace.name)", std::to_string(uts_name_offset)},
        {"SYMBOL(init_top_pgt)", symbol(image(top_table))},
        {"NUMBER(phys_base)", std::to_string(options_.phys_base)},
        {"NUMBER(pgtable_l5_enabled)", options_.levels == 5 ? "1" : "0"},
        {"NUMBER(sme_mask)", "0"},
        {"SIZE(page)", std::to_string(options_.struct_page_size)},
        {"OFFSET(page.flags)", "0"},
        {"OFFSET(page.compound_head)", "8"},
        {"OFFSET(page.compound_dtor)", "16"},
        {"OFFSET(page.compound_order)", "17"},
        {"OFFSET(page.mapping)", "24"},
        {"OFFSET(page.private)", "40"},
        {"OFFSET(page._mapcount)", "48"},
        {"LENGTH(zone.free_area)", "11"},
        {"NUMBER(PG_lru)", std::to_string(std::countr_zero(page_flag::lru))},
        {"NUMBER(PG_private)", std::to_string(std::countr_zero(page_flag::private_data))},
        {"NUMBER(PG_swapcache)", std::to_string(std::countr_zero(page_flag::swapcache))},
        {"NUMBER(PG_swapbacked)", std::to_string(std::countr_zero(page_flag::swapbacked))},
        {"NUMBER(PG_slab)", std::to_string(std::countr_zero(page_flag::slab))},
        {"NUMBER(PG_hwpoison)", std::to_string(std::countr_zero(page_flag::hwpoison))},
        {"NUMBER(PG_head_mask)", std::to_string(page_flag::head)},
        {"NUMBER(PAGE_BUDDY_MAPCOUNT_VALUE)", std::to_string(page_type::buddy)},
        {"NUMBER(PAGE_OFFLINE_MAPCOUNT_VALUE)", std::to_string(page_type::offline)},
        {"NUMBER(HUGETLB_PAGE_DTOR)", std::to_string(hugetlb_dtor)},
    };
}

void SyntheticCore::describe_sections() {
    const std::uint64_t sections =
        round_up(options_.memory, page_size * pages_per_section) / page_size / pages_per_section;
    const std::uint64_t roots = round_up(sections, sections_per_root) / sections_per_root;
    const std::uint64_t section_entries = next_table_;
    next_table_ += roots * page_size;
    vmcoreinfo.insert({{"SYMBOL(mem_section)", fmt::format("{:x}", direct(section_roots))},
                       {"LENGTH(mem_section)", "2048"},
                       {"SIZE(mem_section)", std::to_string(section_entry_size)},
                       {"OFFSET(mem_section.section_mem_map)", "0"},
                       {"NUMBER(SECTION_SIZE_BITS)", "27"},
                       {"NUMBER(MAX_PHYSMEM_BITS)", options_.levels == 5 ? "52" : "46"}});
    for (std::uint64_t root = 0; root < roots; ++root) {
        put(section_roots + root * 8, direct(section_entries + root * page_size));
    }

    const std::uint64_t mem_map_size = pages_per_section * options_.struct_page_size;
    for (std::uint64_t section = 0; section < sections; ++section) {
        const std::uint64_t coded = mem_map_of(section) - section * mem_map_size;
        put(section_entries + section * section_entry_size, coded | 0xf); // present, has a mem_map, online, early
        const unsigned level = options_.huge_mem_map ? 2 : 1;
        const std::uint64_t step = std::uint64_t{1} << level_shift(level);
        const std::uint64_t first = mem_map_of(section) / step * step;
        for (std::uint64_t address = first; address < mem_map_of(section) + mem_map_size; address += step) {
            const std::uint64_t place = address - mem_map_of(options_.one_mem_map ? section : 0);
            map(address, mem_map_physical + place, level);
        }
    }
}

void SyntheticCore::set(std::uint64_t pfn, const SyntheticPage &page) {
    const std::uint64_t at = mem_map_physical + pfn * options_.struct_page_size;
    put(at, page.flags);
    put(at + 8, page.compound_head);
    put(at + 16, page.dtor);
    put(at + 17, page.order);
    put(at + 24, page.mapping);
    put(at + 40, page.private_data);
    put(at + 48, page.mapcount);
}

void SyntheticCore::set_compound(std::uint64_t pfn, SyntheticPage head, std::uint8_t order, std::uint8_t dtor) {
    head.flags |= page_flag::head;
    set(pfn, head);
    const std::uint64_t head_address = mem_map_of(0) + pfn * options_.struct_page_size;
    for (std::uint64_t tail = 1; tail < std::uint64_t{1} << order; ++tail) {
        SyntheticPage page{.mapping = 0xdead000000000400, .compound_head = head_address + 1};
        if (tail == 1) {
            page.dtor = dtor;
            page.order = order;
        }
        set(pfn + tail, page);
    }
}

void SyntheticCore::unmap_struct_pages(std::uint64_t section) {
    put(entry_of(mem_map_of(section), 2), std::uint64_t{0});
}

std::vector<std::byte> SyntheticCore::note_bytes() const {
    std::vector<std::byte> bytes;
    for (const SyntheticNote &note : notes) {
        append_note(bytes, note);
    }
    if (!vmcoreinfo.empty()) {
        std::string text;
        for (const auto &[key, value] : vmcoreinfo) {
            text += fmt::format("{}={}\n", key, value);
        }
        append_note(bytes, {.name = "VMCOREINFO", .type = 0, .description = bytes_of(text)});
    }
    return bytes;
}

SyntheticLayout SyntheticCore::write(const std::filesystem::path &path) const {
    const std::vector<std::byte> all_notes = note_bytes();
    const std::uint64_t table_size = (segments.size() + 1) * sizeof(Elf64_Phdr);
    const std::uint64_t notes_at = round_up(sizeof(Elf64_Ehdr) + table_size, page_size);
    SyntheticLayout layout{.program_headers = sizeof(Elf64_Ehdr),
                           .program_headers_size = table_size,
                           .notes = notes_at,
                           .notes_size = all_notes.size(),
                           .segments = {},
                           .size = notes_at + all_notes.size()};
    std::vector<Elf64_Phdr> headers(1);
    headers[0].p_type = PT_NOTE;
    headers[0].p_offset = layout.notes;
    headers[0].p_filesz = headers[0].p_memsz = all_notes.size();

    std::uint64_t offset = round_up(layout.notes + all_notes.size(), page_size);
    for (const SyntheticSegment &segment : segments) {
        offset += segment.physical % page_size; // as /proc/vmcore does
        Elf64_Phdr header{};
        header.p_type = PT_LOAD;
        header.p_flags = PF_R | PF_W | PF_X;
        header.p_offset = offset;
        header.p_vaddr = direct(segment.physical);
        header.p_paddr = segment.physical;
        header.p_filesz = segment.file_size.value_or(segment.memory_size);
        header.p_memsz = segment.memory_size;
        headers.push_back(header);
        layout.segments.push_back(offset);
        layout.size = offset + header.p_filesz;
        offset = round_up(layout.size, page_size);
    }

    Elf64_Ehdr elf{};
    std::memcpy(elf.e_ident, ELFMAG, SELFMAG);
    elf.e_ident[EI_CLASS] = ELFCLASS64;
    elf.e_ident[EI_DATA] = ELFDATA2LSB;
    elf.e_ident[EI_VERSION] = EV_CURRENT;
    elf.e_type = ET_CORE;
    elf.e_machine = EM_X86_64;
    elf.e_version = EV_CURRENT;
    elf.e_phoff = layout.program_headers;
    elf.e_ehsize = sizeof elf;
    elf.e_phentsize = sizeof(Elf64_Phdr);
    elf.e_phnum = static_cast<Elf64_Half>(std::min<std::size_t>(headers.size(), PN_XNUM));
    std::ofstream file(path, std::ios::binary | std::ios::trunc);
    if (headers.size() >= PN_XNUM) {
        // The count stands in a section header, here at the file's end.
        Elf64_Shdr section{};
        section.sh_info = static_cast<Elf64_Word>(headers.size());
        elf.e_shoff = layout.size;
        elf.e_shnum = 1;
        elf.e_shentsize = sizeof section;
        write_at(file, layout.size, std::as_bytes(std::span(&section, 1)));
        layout.size += sizeof section;
    }
    write_at(file, 0, std::as_bytes(std::span(&elf, 1)));
    write_at(file, layout.program_headers, std::as_bytes(std::span(headers)));
    write_at(file, layout.notes, all_notes);
    for (const Elf64_Phdr &header : std::span(headers).subspan(1)) {
        for (auto page = pages_.lower_bound(header.p_paddr / page_size); page != pages_.end(); ++page) {
            const std::uint64_t begin = std::max(page->first * page_size, header.p_paddr);
            const std::uint64_t end = std::min((page->first + 1) * page_size, header.p_paddr + header.p_filesz);
            if (begin >= end) {
                break;
            }
            const auto bytes = std::span(page->second).subspan(begin - page->first * page_size, end - begin);
            write_at(file, header.p_offset + (begin - header.p_paddr), bytes);
        }
    }
    file.close();
    if (!file) {
        throw std::runtime_error("can't write " + path.native());
    }
    std::filesystem::resize_file(path, layout.size);
    return layout;
}
