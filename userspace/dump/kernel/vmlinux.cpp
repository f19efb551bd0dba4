// SPDX-License-Identifier: GPL-2.0
#include "dump/kernel/vmlinux.hpp"

#include "dump/input/error.hpp"
#include "dump/input/x86_64.hpp"
#include "dump/kernel/debug_file.hpp"

#include <algorithm>
#include <elfutils/libdwelf.h>
#include <fmt/format.h>
#include <gelf.h>
#include <span>

namespace ballast::dump {

namespace {

constexpr int wrong_release = 2;

/** The file's parts that a kernel is known by. */
class Vmlinux {
  public:
    explicit Vmlinux(const std::string &path) : file_(path), elf_(file_.elf()) {}

    [[nodiscard]] std::string build_id() const {
        const void *bytes = nullptr;
        const ssize_t length = dwelf_elf_gnu_build_id(elf_, &bytes);
        std::string text;
        const std::size_t size = length > 0 ? static_cast<std::size_t>(length) : 0;
        for (const auto byte : std::span(static_cast<const std::uint8_t *>(bytes), size)) {
            text += fmt::format("{:02x}", byte);
        }
        return text;
    }

    /** Calls with name and symbol of each. */
    template<typename Visit>
    void visit_symbols(Visit visit) const {
        for (Elf_Scn *section = elf_nextscn(elf_, nullptr); section != nullptr; section = elf_nextscn(elf_, section)) {
            GElf_Shdr header{};
            Elf_Data *data = nullptr;
            if (gelf_getshdr(section, &header) == nullptr || header.sh_type != SHT_SYMTAB ||
                (data = elf_getdata(section, nullptr)) == nullptr) {
                continue;
            }
            GElf_Sym symbol{};
            for (int n = 0; gelf_getsym(data, n, &symbol) != nullptr; ++n) {
                const char *name = elf_strptr(elf_, header.sh_link, symbol.st_name);
                visit(std::string_view(name != nullptr ? name : ""), symbol);
            }
        }
    }

    /** The text that starts at a symbol, up to a limit; empty where it isn't in the file. */
    [[nodiscard]] std::string_view text(const GElf_Sym &symbol) const {
        GElf_Shdr header{};
        Elf_Scn *section = elf_getscn(elf_, symbol.st_shndx);
        const Elf_Data *data = section != nullptr ? elf_rawdata(section, nullptr) : nullptr;
        if (data == nullptr || gelf_getshdr(section, &header) == nullptr || symbol.st_value < header.sh_addr ||
            symbol.st_value - header.sh_addr >= data->d_size) {
            return {};
        }
        const std::uint64_t at = symbol.st_value - header.sh_addr;
        const std::string_view rest(static_cast<const char *>(data->d_buf) + at, data->d_size - at);
        return rest.substr(0, rest.find('\0'));
    }

  private:
    DebugFile file_;
    Elf *elf_;
};

/** From "Linux version RELEASE (…". */
std::string release_of(const Vmlinux &file) {
    std::string release;
    file.visit_symbols([&](std::string_view name, const GElf_Sym &symbol) {
        constexpr std::string_view before = "Linux version ";
        const std::string_view text = name == "linux_banner" ? file.text(symbol) : "";
        if (text.starts_with(before)) {
            const std::string_view rest = text.substr(before.size());
            release = rest.substr(0, rest.find(' '));
        }
    });
    return release;
}

} // namespace

void check_vmlinux(const std::string &vmlinux, const Vmcoreinfo &vmcoreinfo) {
    const Vmlinux file(vmlinux);
    const auto release = vmcoreinfo.text("OSRELEASE").value_or("of unknown release");
    const auto build_id = vmcoreinfo.text("BUILD-ID");
    const std::string own_id = build_id ? file.build_id() : "";
    if (!own_id.empty()) {
        if (own_id != *build_id) {
            throw Error(fmt::format("{}: the vmlinux of another kernel: its build ID is {}, that of the crashed kernel "
                                    "{} is {}",
                                    vmlinux, own_id, release, *build_id),
                        wrong_release);
        }
        return;
    }
    const std::string own_release = release_of(file);
    if (own_release != release) {
        throw Error(fmt::format("{}: the vmlinux of another kernel: {}, the crashed one is {}", vmlinux,
                                own_release.empty() ? "of unknown release" : own_release, release),
                    wrong_release);
    }
}

std::string release_of_vmlinux(const std::string &vmlinux) {
    return release_of(Vmlinux(vmlinux));
}

std::uint64_t relocation_of(const Vmcoreinfo &vmcoreinfo) {
    return vmcoreinfo.hexadecimal("KERNELOFFSET").value_or(0);
}

Symbols symbols_in_vmlinux(const std::string &vmlinux, const Vmcoreinfo &vmcoreinfo,
                           const std::vector<std::string_view> &names) {
    const std::uint64_t relocation = relocation_of(vmcoreinfo);
    Symbols symbols;
    Vmlinux(vmlinux).visit_symbols([&](std::string_view name, const GElf_Sym &symbol) {
        if (std::ranges::find(names, name) != names.end()) {
            // Offsets of per-CPU variables stay as they are.
            symbols.try_emplace(std::string(name),
                                symbol.st_value + (symbol.st_value >= kernel_text_start ? relocation : 0));
        }
    });
    return symbols;
}

Symbols find_symbols(const Vmcoreinfo &vmcoreinfo, AddressSpace &memory, std::vector<std::string_view> names,
                     const std::string &vmlinux) {
    Symbols symbols = find_symbols(vmcoreinfo, memory, names);
    if (!vmlinux.empty()) {
        std::erase_if(names, [&](std::string_view name) { return symbols.contains(name); });
        symbols.merge(symbols_in_vmlinux(vmlinux, vmcoreinfo, names));
    }
    return symbols;
}

} // namespace ballast::dump
