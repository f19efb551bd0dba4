// SPDX-License-Identifier: GPL-2.0
#pragma once

#include <elfutils/libdwfl.h>

#include <memory>
#include <string>

namespace ballast::dump {

/** A file with debug information, a kernel's or a module's, open. */
class DebugFile {
  public:
    /** Throws Error for what can't be read or is no ELF file. */
    explicit DebugFile(std::string path);

    [[nodiscard]] const std::string &path() const { return path_; }

    [[nodiscard]] Elf *elf() const { return elf_; }

    /** Throws Error where the file has none. */
    [[nodiscard]] Dwarf *dwarf() const;

  private:
    struct End {
        void operator()(Dwfl *session) const { dwfl_end(session); }
    };

    std::string path_;
    std::unique_ptr<Dwfl, End> session_;
    Dwfl_Module *module_ = nullptr; // a part of the session, as is the ELF file
    Elf *elf_ = nullptr;
};

} // namespace ballast::dump
