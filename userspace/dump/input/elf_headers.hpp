// SPDX-License-Identifier: GPL-2.0
#pragma once

#include "dump/input/file.hpp"
#include "dump/input/memory_map.hpp"

#include <cstddef>
#include <string_view>
#include <vector>

namespace ballast::dump {

/** A piece of CoreHeaders::notes. */
struct NotePart {
    std::size_t offset = 0;
    std::size_t size = 0;
};

/** What the headers and notes of an ELF core say. */
struct CoreHeaders {
    std::vector<Segment> segments; // PT_LOAD, in the file's order
    std::vector<std::byte> notes;  // all of PT_NOTE

    NotePart vmcoreinfo; // the note's text; size 0: there is none
    NotePart prstatus;   // the first one, header and name included
    unsigned prstatus_count = 0;
};

/**
 * Reads them (ELF-64 Object File Format; Documentation/admin-guide/kdump/kdump.rst). Throws Error for a file that isn't
 * an ELF64 little endian core of an x86-64 machine, or that ends before what its headers promise.
 */
CoreHeaders read_core_headers(const File &file);

} // namespace ballast::dump
