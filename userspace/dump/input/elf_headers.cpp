// SPDX-License-Identifier: GPL-2.0
#include "dump/input/elf_headers.hpp"

#include "dump/input/error.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <elf.h>
#include <fmt/format.h>
#include <string>
#include <string_view>

namespace ballast::dump {

namespace {

constexpr unsigned x86_physical_bits = 52; // Intel SDM vol. 3, 4.1.4: MAXPHYADDR is at most 52

// What QEMU and /proc/kcore put where a PT_LOAD has none.
constexpr std::uint64_t nowhere = UINT64_MAX;

/** Throws unless the file has bytes [offset, offset + size). */
void require(const File &file, std::string_view what, std::uint64_t offset, std::uint64_t size) {
    if (offset > UINT64_MAX - size) {
        throw Error(fmt::format("{}: not a core: {} would be at offset {:#x}, {:#x} bytes long", file.path(), what,
                                offset, size));
    }
    const std::uint64_t end = offset + size;
    if (end > file.size()) {
        throw Error(fmt::format("{}: truncated: {} should be at offset {}, {} bytes long, but the file ends at {}: {} "
                                "bytes are missing",
                                file.path(), what, offset, size, file.size(), end - std::max(offset, file.size())));
    }
}

template<typename Header>
Header read_as(const File &file, std::uint64_t offset) {
    Header header{};
    file.read(offset, std::as_writable_bytes(std::span(&header, 1)));
    return header;
}

void check_identity(const File &file) {
    std::array<std::byte, EI_NIDENT> raw{};
    const std::size_t readable = std::min<std::size_t>(raw.size(), file.size());
    file.read(0, std::span(raw).first(readable));
    std::array<unsigned char, EI_NIDENT> ident{};
    std::memcpy(ident.data(), raw.data(), raw.size());

    if (readable == 0) {
        throw Error(fmt::format("{}: not a core: the file is empty", file.path()));
    }
    if (!std::equal(ident.begin(), ident.begin() + SELFMAG, ELFMAG)) {
        throw Error(fmt::format("{}: neither an ELF file, as a core of kdump or QEMU is, nor a kdump-compressed one",
                                file.path()));
    }
    require(file, "the ELF header", 0, sizeof(Elf64_Ehdr));
    if (ident[EI_CLASS] != ELFCLASS64) {
        throw Error(fmt::format("{}: a 32-bit ELF; only cores of 64-bit kernels can be read", file.path()));
    }
    if (ident[EI_DATA] != ELFDATA2LSB) {
        throw Error(fmt::format("{}: a big endian ELF; only cores of x86-64 kernels can be read", file.path()));
    }
}

void check_header(const File &file, const Elf64_Ehdr &header) {
    if (header.e_type != ET_CORE) {
        throw Error(fmt::format("{}: an ELF file, but not a core (its type is {}, not {})", file.path(), header.e_type,
                                ET_CORE));
    }
    if (header.e_machine != EM_X86_64) {
        throw Error(fmt::format("{}: a core of another machine (ELF machine {}); only x86-64 ({}) can be read",
                                file.path(), header.e_machine, EM_X86_64));
    }
    if (header.e_phentsize != sizeof(Elf64_Phdr)) {
        throw Error(fmt::format("{}: not a core: its program headers are {} bytes long, not {}", file.path(),
                                header.e_phentsize, sizeof(Elf64_Phdr)));
    }
}

std::uint64_t count_program_headers(const File &file, const Elf64_Ehdr &header) {
    if (header.e_phnum != PN_XNUM) {
        return header.e_phnum;
    }
    require(file, "the section header that counts the program headers", header.e_shoff, sizeof(Elf64_Shdr));
    return read_as<Elf64_Shdr>(file, header.e_shoff).sh_info;
}

Segment load_segment(const File &file, const Elf64_Phdr &header, std::size_t index) {
    if (header.p_filesz != 0) {
        require(file, fmt::format("the data of PT_LOAD (program header {})", index), header.p_offset, header.p_filesz);
    }
    constexpr std::uint64_t limit = std::uint64_t{1} << x86_physical_bits;
    if (header.p_paddr > limit || header.p_memsz > limit - header.p_paddr) {
        throw Error(fmt::format("{}: not a core: PT_LOAD (program header {}) has {:#x} bytes of physical memory at "
                                "{:#x}, beyond what x86-64 can have",
                                file.path(), index, header.p_memsz, header.p_paddr));
    }
    return {.physical = header.p_paddr,
            .memory_size = header.p_memsz,
            .file_size = header.p_filesz,
            .offset = header.p_offset,
            .virtual_address = header.p_vaddr};
}

/** Not of memory: a mapped device (QEMU), or virtual memory without a physical place of its own (/proc/kcore). */
bool is_no_memory(const Elf64_Phdr &header) {
    return header.p_paddr == nowhere || (header.p_offset == nowhere && header.p_filesz == 0);
}

void read_notes(const File &file, const Elf64_Phdr &header, std::size_t index, Notes &notes) {
    require(file, fmt::format("the notes (program header {})", index), header.p_offset, header.p_filesz);
    if (header.p_filesz > largest_notes) {
        throw Error(
            fmt::format("{}: not a core: notes (program header {}) of {} bytes", file.path(), index, header.p_filesz));
    }
    std::vector<std::byte> bytes(header.p_filesz);
    file.read(header.p_offset, bytes);
    notes.add(bytes, header.p_align);
}

/** The headers one by one, of which there may be many, some at a time. */
template<typename Take>
void for_each_program_header(const File &file, const Elf64_Ehdr &header, Take take) {
    constexpr std::uint64_t at_once = 4096;
    const std::uint64_t count = count_program_headers(file, header);
    require(file, fmt::format("the table of {} program headers", count), header.e_phoff, count * sizeof(Elf64_Phdr));
    std::vector<Elf64_Phdr> headers;
    for (std::uint64_t first = 0; first < count; first += headers.size()) {
        headers.resize(std::min(at_once, count - first));
        file.read(header.e_phoff + first * sizeof(Elf64_Phdr), std::as_writable_bytes(std::span(headers)));
        for (std::size_t n = 0; n < headers.size(); n++) {
            take(headers[n], first + n);
        }
    }
}

} // namespace

ElfHeaders read_elf_headers(const File &file) {
    check_identity(file);
    const auto header = read_as<Elf64_Ehdr>(file, 0);
    check_header(file, header);

    ElfHeaders headers;
    bool is_live = false;
    for_each_program_header(file, header, [&](const Elf64_Phdr &program_header, std::size_t index) {
        if (program_header.p_type == PT_NOTE) {
            read_notes(file, program_header, index, headers.notes);
        } else if (program_header.p_type == PT_LOAD && !is_no_memory(program_header)) {
            headers.segments.push_back(load_segment(file, program_header, index));
        } else if (program_header.p_type == PT_LOAD) {
            is_live = is_live || program_header.p_filesz != 0;
        }
    });
    if (is_live) {
        // /proc/kcore: through the mapping of its text a kernel can't read what it freed of that, through the direct
        // map, which stands below, it can; the first segment counts.
        std::ranges::stable_sort(headers.segments, {}, &Segment::virtual_address);
    }
    return headers;
}

} // namespace ballast::dump
