// SPDX-License-Identifier: GPL-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace ballast::test {

/** Offsets of the parts of a core that make_core() wrote. */
struct CoreLayout {
    std::uint64_t notes = 0;
    std::uint64_t notes_size = 0;
    std::uint64_t data = 0;
    std::uint64_t size = 0; /**< of the whole file */
};

/** What a test wants its core to be like. */
struct CoreContent {
    std::uint64_t pages = 256;
    bool vmcoreinfo = true;
};

/**
 * Writes a small vmcore as kdump lays it out, with one PT_LOAD from physical address 1 MiB on. Of each four pages one
 * is zero, one is text that packs well, two are noise. It holds no kernel, so it can be dumped at levels 0 and 1 only.
 */
CoreLayout make_core(const std::filesystem::path &path, const CoreContent &content = {});

/** The bytes of page n of such a core's memory. */
std::vector<std::byte> core_page(std::uint64_t n);

/**
 * How many of such a core's so many pages libkdumpfile reads from a dump of it. Fails the test unless each holds what
 * the core's page holds.
 */
std::uint64_t readable_pages(const std::string &dump, std::uint64_t pages);

/** The first page frame of such a core's memory. */
constexpr std::uint64_t core_first_pfn = 256;

} // namespace ballast::test
