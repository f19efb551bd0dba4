// SPDX-License-Identifier: GPL-2.0
#include "dump/kernel/modules.hpp"

#include "dump/kernel/typed_data.hpp"

#include <elf.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <span>

namespace ballast::dump {

namespace {

constexpr unsigned most_modules = 10000;
constexpr std::uint64_t most_symbols = 1000000;
constexpr std::size_t longest_name = 512; // KSYM_NAME_LEN

std::string with_underscores(std::string_view name) {
    std::string text(name);
    std::ranges::replace(text, '-', '_');
    return text;
}

/** Up to its NUL, or as much as can be read. */
std::string read_text(AddressSpace &memory, std::uint64_t address) {
    std::string text;
    std::array<char, 1> c{};
    while (text.size() < longest_name && memory.read(address + text.size(), std::as_writable_bytes(std::span(c))) &&
           c[0] != '\0') {
        text.push_back(c[0]);
    }
    return text;
}

std::optional<std::string> find_below(const std::filesystem::path &folder, std::string_view module) {
    const std::string wanted = with_underscores(module);
    std::error_code error;
    using std::filesystem::recursive_directory_iterator;
    for (recursive_directory_iterator file(folder, error), end; !error && file != end; file.increment(error)) {
        const std::string name = with_underscores(file->path().filename().native());
        if (name == wanted + ".ko" || name == wanted + ".ko.debug") {
            return file->path();
        }
    }
    return std::nullopt;
}

} // namespace

std::optional<std::uint64_t> find_module(AddressSpace &memory, const Types &types, std::uint64_t modules,
                                         std::string_view name) {
    const auto list = types.offset("module", "list");
    const auto name_at = types.offset("module", "name");
    if (!list || !name_at) {
        return std::nullopt;
    }
    auto node = read_pointer(memory, modules);
    for (unsigned n = 0; node && *node != modules && n < most_modules; ++n) {
        const std::uint64_t module = *node - *list;
        if (with_underscores(read_text(memory, module + *name_at)) == with_underscores(name)) {
            return module;
        }
        node = read_pointer(memory, *node);
    }
    return std::nullopt;
}

Symbols module_symbols(AddressSpace &memory, const Types &types, std::uint64_t module,
                       const std::vector<std::string_view> &names) {
    const auto kallsyms_at = types.offset("module", "kallsyms");
    const auto symtab_at = types.offset("mod_kallsyms", "symtab");
    const auto count_at = types.offset("mod_kallsyms", "num_symtab");
    const auto strtab_at = types.offset("mod_kallsyms", "strtab");
    const auto kallsyms = kallsyms_at ? read_pointer(memory, module + *kallsyms_at) : std::nullopt;
    if (!kallsyms || !symtab_at || !count_at || !strtab_at) {
        return {};
    }
    const auto symtab = read_pointer(memory, *kallsyms + *symtab_at);
    const auto strtab = read_pointer(memory, *kallsyms + *strtab_at);
    const auto count = read_integer(memory, *kallsyms + *count_at, sizeof(std::uint32_t));
    Symbols symbols;
    for (std::uint64_t n = 0; symtab && strtab && n < std::min(count.value_or(0), most_symbols); ++n) {
        Elf64_Sym symbol{};
        if (!memory.read(*symtab + n * sizeof symbol, std::as_writable_bytes(std::span(&symbol, 1)))) {
            break;
        }
        const std::string name = symbol.st_shndx != SHN_UNDEF ? read_text(memory, *strtab + symbol.st_name) : "";
        if (std::ranges::find(names, name) != names.end()) {
            symbols.try_emplace(name, symbol.st_value);
        }
    }
    return symbols;
}

std::optional<std::string> find_module_file(const std::string &vmlinux, const std::string &release,
                                            std::string_view name) {
    // Debian has boot/vmlinux-RELEASE beside lib/modules/RELEASE, Fedora lib/modules/RELEASE/vmlinux.
    // Without a vmlinux nothing is found in a folder of that name.
    const std::filesystem::path beside =
        vmlinux.empty() ? "/usr/lib/debug/boot" : std::filesystem::absolute(vmlinux).parent_path();
    for (const auto &folder : {beside / "kernel", beside.parent_path() / "lib/modules" / release,
                               std::filesystem::path("/usr/lib/debug/lib/modules") / release}) {
        if (auto found = find_below(folder, name)) {
            return found;
        }
    }
    return std::nullopt;
}

} // namespace ballast::dump
