// SPDX-License-Identifier: GPL-2.0
#pragma once

#include "dump/input/file.hpp"
#include "dump/input/memory_map.hpp"
#include "dump/input/notes.hpp"

#include <vector>

namespace ballast::dump {

/** What the headers and notes of an ELF core say. */
struct ElfHeaders {
    std::vector<Segment> segments; // PT_LOAD, in the file's order
    Notes notes;                   // all of PT_NOTE
};

/**
 * Reads them (ELF-64 Object File Format; Documentation/admin-guide/kdump/kdump.rst). Throws Error for a file that isn't
 * an ELF64 little endian core of an x86-64 machine, or that ends before what its headers promise.
 */
ElfHeaders read_elf_headers(const File &file);

} // namespace ballast::dump
