// SPDX-License-Identifier: GPL-2.0
#include "synthetic_core.hpp"

#include <array>
#include <cstring>
#include <elf.h>
#include <fstream>
#include <random>
#include <span>
#include <string_view>

namespace ballast::test {

namespace {

constexpr std::uint64_t page_size = 4096;
constexpr std::uint64_t direct_map = 0xffff888000000000;
constexpr std::size_t prstatus_size = 336; // struct elf_prstatus on x86-64
constexpr std::string_view vmcoreinfo = "OSRELEASE=6.1.0-synthetic\nPAGESIZE=4096\nCRASHTIME=1700000000\n";

void append(std::vector<char> &bytes, const void *data, std::size_t size) {
    const auto *begin = static_cast<const char *>(data);
    bytes.insert(bytes.end(), begin, begin + size);
}

void append_note(std::vector<char> &notes, std::string_view name, Elf64_Word type, const std::vector<char> &content) {
    constexpr std::size_t alignment = 4;
    const auto padded = [](std::size_t size) { return (size + alignment - 1) / alignment * alignment; };
    const Elf64_Nhdr header = {.n_namesz = static_cast<Elf64_Word>(name.size() + 1),
                               .n_descsz = static_cast<Elf64_Word>(content.size()),
                               .n_type = type};
    append(notes, &header, sizeof(header));
    const std::size_t name_at = notes.size();
    append(notes, name.data(), name.size());
    notes.resize(name_at + padded(name.size() + 1));
    const std::size_t content_at = notes.size();
    append(notes, content.data(), content.size());
    notes.resize(content_at + padded(content.size()));
}

std::vector<char> make_notes(bool with_vmcoreinfo) {
    std::vector<char> notes;
    append_note(notes, "CORE", NT_PRSTATUS, std::vector<char>(prstatus_size));
    if (with_vmcoreinfo) {
        append_note(notes, "VMCOREINFO", 0, {vmcoreinfo.begin(), vmcoreinfo.end()});
    }
    return notes;
}

Elf64_Ehdr elf_header(std::size_t program_headers) {
    Elf64_Ehdr header = {};
    std::memcpy(std::span(header.e_ident).data(), ELFMAG, SELFMAG);
    header.e_ident[EI_CLASS] = ELFCLASS64;
    header.e_ident[EI_DATA] = ELFDATA2LSB;
    header.e_ident[EI_VERSION] = EV_CURRENT;
    header.e_type = ET_CORE;
    header.e_machine = EM_X86_64;
    header.e_version = EV_CURRENT;
    header.e_phoff = sizeof(Elf64_Ehdr);
    header.e_ehsize = sizeof(Elf64_Ehdr);
    header.e_phentsize = sizeof(Elf64_Phdr);
    header.e_phnum = static_cast<Elf64_Half>(program_headers);
    return header;
}

} // namespace

std::vector<std::byte> core_page(std::uint64_t n) {
    std::vector<std::byte> page(page_size);
    std::minstd_rand noise(static_cast<std::minstd_rand::result_type>(n + 1));
    for (std::size_t i = 0; i < page.size(); i++) {
        switch (n % 4) {
        case 0:
            break;
        case 1:
            page[i] = static_cast<std::byte>("a page of the same few words "[(i + n) % 29]);
            break;
        default:
            page[i] = static_cast<std::byte>(noise() >> 8U);
            break;
        }
    }
    return page;
}

CoreLayout make_core(const std::filesystem::path &path, const CoreContent &content) {
    const std::vector<char> notes = make_notes(content.vmcoreinfo);
    const CoreLayout layout = {
        .notes = page_size, .notes_size = notes.size(), .data = 2 * page_size, .size = (2 + content.pages) * page_size};
    Elf64_Phdr note = {};
    note.p_type = PT_NOTE;
    note.p_offset = layout.notes;
    note.p_filesz = note.p_memsz = layout.notes_size;
    Elf64_Phdr load = {};
    load.p_type = PT_LOAD;
    load.p_flags = PF_R | PF_W | PF_X;
    load.p_offset = layout.data;
    load.p_paddr = core_first_pfn * page_size;
    load.p_vaddr = direct_map + load.p_paddr;
    load.p_filesz = load.p_memsz = content.pages * page_size;

    const std::array headers = {note, load};
    const Elf64_Ehdr header = elf_header(headers.size());
    std::vector<char> bytes;
    append(bytes, &header, sizeof(header));
    append(bytes, headers.data(), sizeof(headers));
    bytes.resize(layout.notes);
    append(bytes, notes.data(), notes.size());
    bytes.resize(layout.data);
    for (std::uint64_t n = 0; n < content.pages; n++) {
        const auto page = core_page(n);
        append(bytes, page.data(), page.size());
    }
    std::ofstream file(path, std::ios::binary | std::ios::trunc);
    file.exceptions(std::ios::failbit | std::ios::badbit);
    file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    return layout;
}

} // namespace ballast::test
