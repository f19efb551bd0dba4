// SPDX-License-Identifier: GPL-2.0
#include "changed_core.hpp"

#include "kdumpfile.hpp"

#include <elf.h>
#include <fmt/format.h>
#include <fstream>
#include <stdexcept>
#include <vector>

namespace ballast::peers {

void write_kernel(const std::string &core, std::uint64_t address, std::span<const std::byte> bytes) {
    const std::uint64_t physical = Kdumpfile(core).physical(address);
    std::fstream file(core, std::ios::in | std::ios::out | std::ios::binary);
    Elf64_Ehdr header{};
    file.read(reinterpret_cast<char *>(&header), sizeof header);
    std::vector<Elf64_Phdr> segments(header.e_phnum);
    file.seekg(static_cast<std::streamoff>(header.e_phoff));
    file.read(reinterpret_cast<char *>(segments.data()),
              static_cast<std::streamsize>(segments.size() * sizeof(Elf64_Phdr)));
    bool is_written = false;
    for (const Elf64_Phdr &segment : segments) {
        if (segment.p_type == PT_LOAD && physical >= segment.p_paddr &&
            physical + bytes.size() <= segment.p_paddr + segment.p_filesz) {
            file.seekp(static_cast<std::streamoff>(segment.p_offset + physical - segment.p_paddr));
            file.write(reinterpret_cast<const char *>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
            is_written = true;
        }
    }
    file.close();
    if (!file || !is_written) {
        throw std::runtime_error(fmt::format("{}: can't write at kernel address {:#x}", core, address));
    }
}

} // namespace ballast::peers
