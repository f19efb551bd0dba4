// SPDX-License-Identifier: GPL-2.0
#include "dump/output/chunk_copier.hpp"

#include "dump/output/layout.hpp"
#include "dump/output/output_file.hpp"
#include "dump_machine.hpp"
#include "file_size_limit.hpp"
#include "support/folder.hpp"

#include <catch2/catch_test_macros.hpp>
#include <cerrno>
#include <cstdint>
#include <string>

namespace {

using namespace ballast::dump;
using kdump::PageDescriptor;

constexpr std::uint64_t pages = 10;

/** Pages of zeros, one chunk of them. */
Bitmap zero_pages(const DumpMachine &machine) {
    Bitmap dumped(machine.core().max_pfn());
    dumped.set_range(50'000, 50'000 + pages);
    return dumped;
}

} // namespace

TEST_CASE("A descriptor that a full disk cuts in two is taken back") {
    const DumpMachine machine;
    const Folder folder;
    const std::string path = folder.path() / "dump";
    const Bitmap dumped = zero_pages(machine);
    const Layout layout(4096, 100, dumped.size(), pages);
    OutputFile file(path, false);
    const CopyPart part{.file = &file,
                        .end = 1,
                        .descriptors = layout.descriptors,
                        .zero_page = layout.data,
                        .data = layout.data + 4096};
    const CopyJob job{.core = machine.core(), .pages = dumped, .compression = {}, .parts = {part}};
    file.reserve(part.data);

    ChunkCopier copier(job);
    const Chunk chunk = ChunkPlan(dumped, ChunkCopier::chunk_pages(Codec::raw, 4096)).chunk(0);
    CHECK(copier.fill(part, chunk) == 0);
    const std::uint64_t whole = layout.descriptors + 3 * sizeof(PageDescriptor);
    const SavedChunk saved = [&] {
        const FileSizeLimit limit(whole + 10);
        return copier.save(part.data);
    }();

    CHECK(saved.error == EFBIG);
    CHECK(saved.pages == 3);
    CHECK(saved.zero_pages == 3);
    const std::string content = folder.read("dump");
    CHECK(content[whole - sizeof(PageDescriptor) + 1] != 0); // of the last that is there, the offset
    CHECK(content.substr(whole) == std::string(part.data - whole, '\0'));
}
