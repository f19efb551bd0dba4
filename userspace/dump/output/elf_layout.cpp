// SPDX-License-Identifier: GPL-2.0
#include "dump/output/elf_layout.hpp"

#include "dump/input/rank_index.hpp"

#include <algorithm>
#include <cstring>
#include <span>
#include <utility>

namespace ballast::dump {

namespace {

// makedumpfile's number too.
constexpr std::uint64_t short_gap = 256; // pages

// Where the data starts is a multiple of this, but not of a page: then makedumpfile 1.7.2 reads the file. Of one that
// it can map it takes some pages' bytes from elsewhere.
constexpr std::uint64_t odd_start = 64;

template<typename Header>
void put(std::vector<std::byte> &file, std::uint64_t offset, const Header &header) {
    std::memcpy(file.data() + offset, &header, sizeof header);
}

} // namespace

ElfLayout::ElfLayout(const Core &core, const Machine &machine, Bitmap pages, std::string_view eraseinfo)
    : page_size_(core.page_size()), pages_(std::move(pages)), notes_(core.format().notes().with_eraseinfo(eraseinfo)) {
    take_in_short_gaps(core.with_data());
    const RankIndex ranks(pages_);
    for (Segment segment : core.segments()) {
        if (segment.virtual_address == 0 && machine.direct_map) {
            segment.virtual_address = *machine.direct_map + segment.physical;
        }
        add_segment(segment, ranks);
    }
    // Behind the ELF header, where makedumpfile insists on them, the program headers; then a section header that counts
    // them where they are too many for the ELF header; then the notes.
    section_ = sizeof(Elf64_Ehdr) + (1 + loads_.size()) * sizeof(Elf64_Phdr);
    notes_offset_ = section_ + sizeof(Elf64_Shdr);
    data_ = (notes_offset_ + notes_.size() + odd_start - 1) / odd_start * odd_start;
    if (data_ % page_size_ == 0) {
        data_ += odd_start;
    }
}

void ElfLayout::take_in_short_gaps(const Bitmap &with_data) {
    std::uint64_t gap = pages_.next_clear(pages_.next_set(0));
    while (gap < pages_.size()) {
        const std::uint64_t end = pages_.next_set(gap);
        if (end < pages_.size() && end - gap < short_gap && with_data.next_clear(gap) >= end) {
            pages_.set_range(gap, end);
        }
        gap = pages_.next_clear(end);
    }
}

void ElfLayout::add_segment(const Segment &segment, const RankIndex &ranks) {
    const std::uint64_t end = segment.physical + segment.memory_size;
    for (std::uint64_t at = segment.physical; at < end;) {
        const Pfn pfn = at / page_size_;
        const Pfn run_end = pages_.test(pfn) ? pages_.next_clear(pfn) : pfn;
        const std::uint64_t data_end = std::clamp(run_end * page_size_, at, end);
        const Pfn next_run = pages_.next_set(run_end);
        const std::uint64_t next = next_run < pages_.size() ? std::min(next_run * page_size_, end) : end;
        Elf64_Phdr load{};
        load.p_type = PT_LOAD;
        load.p_flags = PF_R | PF_W | PF_X;
        load.p_offset = ranks.rank(pfn) * page_size_ + (data_end > at ? at % page_size_ : 0);
        load.p_vaddr = segment.virtual_address == 0 ? 0 : segment.virtual_address + (at - segment.physical);
        load.p_paddr = at;
        load.p_filesz = data_end - at;
        load.p_memsz = next - at;
        loads_.push_back(load);
        at = next;
    }
}

std::vector<std::byte> ElfLayout::headers(std::uint64_t end) const {
    const std::size_t count = loads_.size() + 1;
    std::vector<std::byte> file(data_);
    Elf64_Ehdr header{};
    std::memcpy(header.e_ident, ELFMAG, SELFMAG);
    header.e_ident[EI_CLASS] = ELFCLASS64;
    header.e_ident[EI_DATA] = ELFDATA2LSB;
    header.e_ident[EI_VERSION] = EV_CURRENT;
    header.e_type = ET_CORE;
    header.e_machine = EM_X86_64;
    header.e_version = EV_CURRENT;
    header.e_phoff = sizeof(Elf64_Ehdr);
    header.e_ehsize = sizeof(Elf64_Ehdr);
    header.e_phentsize = sizeof(Elf64_Phdr);
    header.e_phnum = static_cast<Elf64_Half>(std::min<std::size_t>(count, PN_XNUM));
    if (count >= PN_XNUM) {
        Elf64_Shdr section{};
        section.sh_info = static_cast<Elf64_Word>(count);
        header.e_shoff = section_;
        header.e_shnum = 1;
        header.e_shentsize = sizeof(Elf64_Shdr);
        put(file, header.e_shoff, section);
    }
    put(file, 0, header);

    Elf64_Phdr note{};
    note.p_type = PT_NOTE;
    note.p_offset = notes_offset_;
    note.p_filesz = note.p_memsz = notes_.size();
    std::uint64_t at = header.e_phoff;
    put(file, at, note);
    for (Elf64_Phdr load : loads_) {
        at += sizeof load;
        load.p_offset += data_;
        load.p_filesz = std::min(load.p_filesz, end - std::min(end, load.p_offset));
        put(file, at, load);
    }
    std::ranges::copy(notes_, file.begin() + static_cast<std::ptrdiff_t>(notes_offset_));
    return file;
}

} // namespace ballast::dump
