// SPDX-License-Identifier: GPL-2.0
#include "small_core.hpp"

#include "peers/kdumpfile.hpp"
#include "support/synthetic_core.hpp"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <random>

namespace ballast::test {

std::vector<std::byte> core_page(std::uint64_t n) {
    std::vector<std::byte> page(SyntheticCore::page_size);
    std::minstd_rand noise(static_cast<std::minstd_rand::result_type>(n + 1));
    for (std::size_t i = 0; i < page.size(); i++) {
        switch (n % 4) {
        case 0:
            break;
        case 1:
            page[i] = static_cast<std::byte>("a page of the same few words "[(i + n) % 29]);
            break;
        default:
            page[i] = static_cast<std::byte>(noise() >> 8U);
            break;
        }
    }
    return page;
}

CoreLayout make_core(const std::filesystem::path &path, const CoreContent &content) {
    SyntheticCore core;
    core.segments = {{.physical = core_first_pfn * SyntheticCore::page_size,
                      .memory_size = content.pages * SyntheticCore::page_size,
                      .file_size = {}}};
    core.vmcoreinfo.clear();
    if (content.vmcoreinfo) {
        core.vmcoreinfo = {{"OSRELEASE", "6.1.0-synthetic"}, {"PAGESIZE", "4096"}, {"CRASHTIME", "1700000000"}};
    }
    for (std::uint64_t n = 0; n < content.pages; n++) {
        std::ranges::copy(core_page(n), core.page(core_first_pfn + n).begin());
    }
    const SyntheticLayout layout = core.write(path);
    return {.notes = layout.notes, .notes_size = layout.notes_size, .data = layout.segments[0], .size = layout.size};
}

std::uint64_t readable_pages(const std::string &dump, std::uint64_t pages) {
    const peers::Kdumpfile reader(dump);
    std::uint64_t readable = 0;
    for (std::uint64_t n = 0; n < pages; n++) {
        std::vector<std::byte> page(reader.page_size());
        try {
            reader.read_page(core_first_pfn + n, page);
        } catch (const peers::KdumpfileError &) {
            continue;
        }
        REQUIRE(page == core_page(n));
        readable++;
    }
    return readable;
}

} // namespace ballast::test
