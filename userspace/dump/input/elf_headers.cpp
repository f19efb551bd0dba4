// SPDX-License-Identifier: GPL-2.0
#include "dump/input/elf_headers.hpp"

#include "dump/input/error.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <fmt/format.h>
#include <gelf.h>
#include <libelf.h>
#include <memory>
#include <string>

namespace ballast::dump {

namespace {

struct ElfEnd {
    void operator()(Elf *elf) const { elf_end(elf); }
};
using ElfHandle = std::unique_ptr<Elf, ElfEnd>;

constexpr unsigned x86_physical_bits = 52; // Intel SDM vol. 3, 4.1.4: MAXPHYADDR is at most 52

Error unreadable(const File &file, std::string_view what) {
    return Error(fmt::format("{}: {}: {}", file.path(), what, elf_errmsg(-1)));
}

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

/** The checks that libelf doesn't make or doesn't explain. */
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
        throw Error(fmt::format("{}: not an ELF file, as a core of kdump or QEMU is", file.path()));
    }
    require(file, "the ELF header", 0, sizeof(Elf64_Ehdr));
    if (ident[EI_CLASS] != ELFCLASS64) {
        throw Error(fmt::format("{}: a 32-bit ELF; only cores of 64-bit kernels can be read", file.path()));
    }
    if (ident[EI_DATA] != ELFDATA2LSB) {
        throw Error(fmt::format("{}: a big endian ELF; only cores of x86-64 kernels can be read", file.path()));
    }
}

void check_header(const File &file, const GElf_Ehdr &header) {
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

std::size_t program_header_count(const File &file, Elf *elf, const GElf_Ehdr &header) {
    std::size_t count = header.e_phnum;
    if (count == PN_XNUM) {
        // The count is in the first section header.
        require(file, "the section header that counts the program headers", header.e_shoff, sizeof(Elf64_Shdr));
        if (elf_getphdrnum(elf, &count) != 0) {
            throw unreadable(file, "can't tell how many program headers there are");
        }
    }
    require(file, fmt::format("the table of {} program headers", count), header.e_phoff, count * sizeof(Elf64_Phdr));
    return count;
}

Segment load_segment(const File &file, const GElf_Phdr &header, std::size_t index) {
    require(file, fmt::format("the data of PT_LOAD (program header {})", index), header.p_offset, header.p_filesz);
    constexpr std::uint64_t limit = std::uint64_t{1} << x86_physical_bits;
    if (header.p_paddr > limit || header.p_memsz > limit - header.p_paddr) {
        throw Error(fmt::format("{}: not a core: PT_LOAD (program header {}) has {:#x} bytes of physical memory at "
                                "{:#x}, beyond what x86-64 can have",
                                file.path(), index, header.p_memsz, header.p_paddr));
    }
    return {.physical = header.p_paddr,
            .memory_size = header.p_memsz,
            .file_size = header.p_filesz,
            .offset = header.p_offset};
}

bool is_note(const Elf_Data &data, const GElf_Nhdr &note, std::size_t name_offset, std::string_view name,
             std::uint32_t type) {
    // n_namesz counts the final NUL.
    const std::string_view bytes(static_cast<const char *>(data.d_buf), data.d_size);
    return note.n_type == type && note.n_namesz == name.size() + 1 && bytes.substr(name_offset, name.size()) == name;
}

void read_notes(const File &file, Elf *elf, const GElf_Phdr &header, std::size_t index, CoreHeaders &headers) {
    require(file, fmt::format("the notes (program header {})", index), header.p_offset, header.p_filesz);
    if (header.p_filesz == 0) {
        return;
    }
    const Elf_Type type = header.p_align == 8 ? ELF_T_NHDR8 : ELF_T_NHDR;
    Elf_Data *data = elf_getdata_rawchunk(elf, static_cast<std::int64_t>(header.p_offset), header.p_filesz, type);
    if (data == nullptr) {
        throw unreadable(file, fmt::format("can't read the notes at offset {}", header.p_offset));
    }
    const std::size_t base = headers.notes.size();
    const auto *bytes = static_cast<const std::byte *>(data->d_buf);
    headers.notes.insert(headers.notes.end(), bytes, bytes + data->d_size);

    GElf_Nhdr note{};
    std::size_t name = 0;
    std::size_t description = 0;
    std::size_t offset = 0;
    while (const std::size_t next = gelf_getnote(data, offset, &note, &name, &description)) {
        if (is_note(*data, note, name, "VMCOREINFO", 0) && headers.vmcoreinfo.size == 0) {
            headers.vmcoreinfo = {base + description, note.n_descsz};
        } else if (is_note(*data, note, name, "CORE", NT_PRSTATUS) && headers.prstatus_count++ == 0) {
            headers.prstatus = {base + offset, next - offset};
        }
        offset = next;
    }
}

} // namespace

CoreHeaders read_core_headers(const File &file) {
    check_identity(file);
    elf_version(EV_CURRENT);
    const ElfHandle elf(elf_begin(file.descriptor(), ELF_C_READ, nullptr));
    GElf_Ehdr header{};
    if (!elf || gelf_getehdr(elf.get(), &header) == nullptr) {
        throw unreadable(file, "can't read the ELF header");
    }
    check_header(file, header);

    CoreHeaders headers;
    const std::size_t count = program_header_count(file, elf.get(), header);
    for (std::size_t index = 0; index < count; ++index) {
        GElf_Phdr program_header{};
        if (gelf_getphdr(elf.get(), static_cast<int>(index), &program_header) == nullptr) {
            throw unreadable(file, fmt::format("can't read program header {}", index));
        }
        if (program_header.p_type == PT_NOTE) {
            read_notes(file, elf.get(), program_header, index, headers);
        } else if (program_header.p_type == PT_LOAD) {
            headers.segments.push_back(load_segment(file, program_header, index));
        }
    }
    return headers;
}

} // namespace ballast::dump
