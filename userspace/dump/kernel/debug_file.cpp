// SPDX-License-Identifier: GPL-2.0
#include "dump/kernel/debug_file.hpp"

#include "dump/input/error.hpp"
#include "dump/input/file.hpp"

#include <fmt/format.h>

#include <utility>

namespace ballast::dump {

namespace {

constexpr std::string_view advice = "give the vmlinux of the kernel's debug package";

// A module's debug information is relocatable, which libdwfl takes care of. No other files are looked for.
constexpr Dwfl_Callbacks callbacks = {
    .find_elf = dwfl_build_id_find_elf,
    .find_debuginfo = [](Dwfl_Module * /*module*/, void ** /*user*/, const char * /*name*/, Dwarf_Addr /*base*/,
                         const char * /*file*/, const char * /*link*/, GElf_Word /*crc*/,
                         char ** /*found*/) { return -1; },
    .section_address = dwfl_offline_section_address,
    .debuginfo_path = nullptr,
};

} // namespace

DebugFile::DebugFile(std::string path) : path_(std::move(path)), session_(dwfl_begin(&callbacks)) {
    // libdwfl tells of what can't be opened only that it is not there.
    const File readable(path_);
    dwfl_report_begin(session_.get());
    module_ = dwfl_report_offline(session_.get(), "kernel", path_.c_str(), -1);
    dwfl_report_end(session_.get(), nullptr, nullptr);
    Dwarf_Addr bias = 0;
    elf_ = module_ != nullptr ? dwfl_module_getelf(module_, &bias) : nullptr;
    if (elf_ == nullptr) {
        throw Error(fmt::format("{}: not an ELF file that can be read: {}; {}", path_, dwfl_errmsg(-1), advice));
    }
}

Dwarf *DebugFile::dwarf() const {
    Dwarf_Addr bias = 0;
    Dwarf *dwarf = dwfl_module_getdwarf(module_, &bias);
    if (dwarf == nullptr) {
        throw Error(fmt::format("{}: no debug information that can be read: {}; {}", path_, dwfl_errmsg(-1), advice));
    }
    return dwarf;
}

} // namespace ballast::dump
