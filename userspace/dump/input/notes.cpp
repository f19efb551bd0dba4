// SPDX-License-Identifier: GPL-2.0
#include "dump/input/notes.hpp"

#include <elf.h>
#include <gelf.h>

namespace ballast::dump {

namespace {

constexpr std::string_view vmcoreinfo_name = "VMCOREINFO";

bool is_note(const Elf_Data &data, const GElf_Nhdr &note, std::size_t name_offset, std::string_view name,
             std::uint32_t type) {
    // n_namesz counts the final NUL.
    const std::string_view bytes(static_cast<const char *>(data.d_buf), data.d_size);
    return note.n_type == type && note.n_namesz == name.size() + 1 && bytes.substr(name_offset, name.size()) == name;
}

void append(std::vector<std::byte> &bytes, std::span<const std::byte> more) {
    bytes.insert(bytes.end(), more.begin(), more.end());
    bytes.resize((bytes.size() + 3) / 4 * 4);
}

} // namespace

void Notes::add(std::span<const std::byte> notes, std::uint64_t alignment) {
    const std::size_t begin = bytes_.size();
    bytes_.insert(bytes_.end(), notes.begin(), notes.end());
    find_known(begin, alignment);
}

void Notes::add_vmcoreinfo(std::string_view text) {
    const Elf64_Nhdr header{.n_namesz = static_cast<Elf64_Word>(vmcoreinfo_name.size() + 1),
                            .n_descsz = static_cast<Elf64_Word>(text.size()),
                            .n_type = 0};
    std::vector<std::byte> note;
    append(note, std::as_bytes(std::span(&header, 1)));
    append(note, std::as_bytes(std::span(vmcoreinfo_name.data(), vmcoreinfo_name.size() + 1)));
    append(note, std::as_bytes(std::span(text)));
    add(note, 4);
}

std::string_view Notes::vmcoreinfo() const {
    return {reinterpret_cast<const char *>(bytes_.data()) + vmcoreinfo_.offset, vmcoreinfo_.size};
}

std::span<const std::byte> Notes::prstatus() const {
    return bytes().subspan(prstatus_.offset, prstatus_.size);
}

void Notes::find_known(std::size_t begin, std::uint64_t alignment) {
    Elf_Data data{};
    data.d_buf = bytes_.data() + begin;
    data.d_size = bytes_.size() - begin;
    data.d_type = alignment == 8 ? ELF_T_NHDR8 : ELF_T_NHDR;
    GElf_Nhdr note{};
    std::size_t name = 0;
    std::size_t description = 0;
    std::size_t offset = 0;
    while (const std::size_t next = gelf_getnote(&data, offset, &note, &name, &description)) {
        if (is_note(data, note, name, vmcoreinfo_name, 0) && vmcoreinfo_.size == 0) {
            vmcoreinfo_ = {begin + description, note.n_descsz};
        } else if (is_note(data, note, name, "CORE", NT_PRSTATUS) && prstatus_count_++ == 0) {
            prstatus_ = {begin + offset, next - offset};
        }
        offset = next;
    }
}

} // namespace ballast::dump
