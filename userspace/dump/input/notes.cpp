// SPDX-License-Identifier: GPL-2.0
#include "dump/input/notes.hpp"

#include <algorithm>
#include <elf.h>
#include <gelf.h>

namespace ballast::dump {

namespace {

constexpr std::string_view vmcoreinfo_name = "VMCOREINFO";
constexpr std::string_view eraseinfo_name = "ERASEINFO"; // makedumpfile's

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

std::vector<std::byte> text_note(std::string_view name, std::string_view text) {
    const Elf64_Nhdr header{.n_namesz = static_cast<Elf64_Word>(name.size() + 1),
                            .n_descsz = static_cast<Elf64_Word>(text.size()),
                            .n_type = 0};
    std::vector<std::byte> note;
    append(note, std::as_bytes(std::span(&header, 1)));
    append(note, std::as_bytes(std::span(name)));
    note.resize((sizeof header + name.size() + 1 + 3) / 4 * 4); // the name's final NUL
    append(note, std::as_bytes(std::span(text)));
    return note;
}

Elf_Data data_of(std::span<std::byte> notes, std::uint64_t alignment) {
    Elf_Data data{};
    data.d_buf = notes.data();
    data.d_size = notes.size();
    data.d_type = alignment == 8 ? ELF_T_NHDR8 : ELF_T_NHDR;
    return data;
}

} // namespace

void Notes::add(std::span<const std::byte> notes, std::uint64_t alignment) {
    const std::size_t begin = bytes_.size();
    bytes_.insert(bytes_.end(), notes.begin(), notes.end());
    while (take_eraseinfo(begin, alignment)) {
    }
    find_known(begin, alignment);
}

void Notes::add_vmcoreinfo(std::string_view text) {
    add(text_note(vmcoreinfo_name, text), 4);
}

std::vector<std::byte> Notes::with_eraseinfo(std::string_view text) const {
    std::vector<std::byte> notes = bytes_;
    if (!text.empty()) {
        append(notes, text_note(eraseinfo_name, text));
    }
    return notes;
}

std::string_view Notes::vmcoreinfo() const {
    return {reinterpret_cast<const char *>(bytes_.data()) + vmcoreinfo_.offset, vmcoreinfo_.size};
}

std::span<const std::byte> Notes::prstatus() const {
    return bytes().subspan(prstatus_.offset, prstatus_.size);
}

/** Takes the first of these notes out of the bytes. */
bool Notes::take_eraseinfo(std::size_t begin, std::uint64_t alignment) {
    const auto notes = std::span(bytes_).subspan(begin);
    Elf_Data data = data_of(notes, alignment);
    GElf_Nhdr note{};
    std::size_t name = 0;
    std::size_t description = 0;
    std::size_t offset = 0;
    while (const std::size_t next = gelf_getnote(&data, offset, &note, &name, &description)) {
        if (is_note(data, note, name, eraseinfo_name, 0)) {
            eraseinfo_.append(reinterpret_cast<const char *>(notes.data()) + description, note.n_descsz);
            const auto at = bytes_.begin() + static_cast<std::ptrdiff_t>(begin);
            bytes_.erase(at + static_cast<std::ptrdiff_t>(offset),
                         at + static_cast<std::ptrdiff_t>(std::min(next, notes.size())));
            return true;
        }
        offset = next;
    }
    return false;
}

void Notes::find_known(std::size_t begin, std::uint64_t alignment) {
    Elf_Data data = data_of(std::span(bytes_).subspan(begin), alignment);
    GElf_Nhdr note{};
    std::size_t name = 0;
    std::size_t description = 0;
    std::size_t offset = 0;
    while (const std::size_t next = gelf_getnote(&data, offset, &note, &name, &description)) {
        if (is_note(data, note, name, vmcoreinfo_name, 0) && vmcoreinfo_.size == 0) {
            vmcoreinfo_ = {begin + description, note.n_descsz};
        } else if (is_note(data, note, name, "CORE", NT_PRSTATUS) && prstatus_count_++ == 0) {
            prstatus_ = {begin + offset, std::min(next, data.d_size) - offset}; // the last may lack its padding
        }
        offset = next;
    }
}

} // namespace ballast::dump
