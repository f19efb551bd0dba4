// SPDX-License-Identifier: GPL-2.0
#include "dump/input/core.hpp"
#include "dump/input/page_reader.hpp"

#include "failure.hpp"
#include "support/folder.hpp"
#include "support/synthetic_core.hpp"

#include <algorithm>
#include <array>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <elf.h>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>

using ballast::dump::Core;
using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::EndsWith;

namespace {

class Written {
  public:
    explicit Written(const SyntheticCore &core) : layout(core.write(path())) {}
    Written() : Written(SyntheticCore()) {}

    [[nodiscard]] std::filesystem::path path() const { return folder_.path() / "vmcore"; }
    [[nodiscard]] Core open() const { return Core::open(path()); }
    [[nodiscard]] std::string open_failure() const {
        return failure([this] { static_cast<void>(open()); });
    }

    /** Changes the file. */
    template<typename Number>
    void patch(std::uint64_t offset, Number number) const {
        std::fstream file(path(), std::ios::binary | std::ios::in | std::ios::out);
        file.seekp(static_cast<std::streamoff>(offset));
        file.write(reinterpret_cast<const char *>(&number), sizeof number);
    }

    /** Cuts the file off. */
    void cut(std::uint64_t size) const { std::filesystem::resize_file(path(), size); }

  private:
    Folder folder_;

  public:
    SyntheticLayout layout;
};

} // namespace

TEST_CASE("A core tells its page size, its highest page and its notes") {
    const Written written;
    const Core core = written.open();
    CHECK(core.page_size() == 4096);
    CHECK(core.max_pfn() == 65536);
    CHECK(core.notes().size() == written.layout.notes_size);
    CHECK_THAT(std::string(core.vmcoreinfo()), ContainsSubstring("OSRELEASE=6.1.0-synthetic\n"));
    CHECK(core.prstatus_count() == 1);
    CHECK(core.prstatus_note().data() == core.notes().data());
    CHECK(core.prstatus_note().size() == 12 + 8 + 336);
}

TEST_CASE("VMCOREINFO and the first NT_PRSTATUS are found wherever they stand among the notes") {
    SyntheticCore synthetic;
    const SyntheticNote prstatus = synthetic.notes[0];
    const SyntheticNote other{.name = "QEMU", .type = 0, .description = std::vector<std::byte>(5)};
    synthetic.notes = {other, prstatus, prstatus, other};
    const Written written(synthetic);
    const Core core = written.open();
    CHECK(core.prstatus_count() == 2);
    CHECK(core.prstatus_note().data() == core.notes().data() + 12 + 8 + 8);
    CHECK(core.vmcoreinfo().starts_with("CRASHTIME="));
    const auto *text = reinterpret_cast<const std::byte *>(core.vmcoreinfo().data());
    CHECK(text > core.notes().data());
    CHECK(text + core.vmcoreinfo().size() <= core.notes().data() + core.notes().size());
}

TEST_CASE("A page that a PT_LOAD holds in part is present") {
    SyntheticCore synthetic;
    synthetic.segments = {{.physical = 0x1400, .memory_size = 0x2000, .file_size = {}},
                          {.physical = 0x100000, .memory_size = 0x10000, .file_size = {}}};
    const Written written(synthetic);
    const auto present = written.open().present();
    CHECK(present.count() == 3 + 16);
    CHECK_FALSE(present.test(0));
    CHECK(present.test(1));
    CHECK(present.test(3));
    CHECK_FALSE(present.test(4));
}

TEST_CASE("A page whose end no PT_LOAD holds is present but has no data to dump") {
    SyntheticCore synthetic;
    synthetic.segments = {{.physical = 0x1400, .memory_size = 0x2000, .file_size = {}},
                          {.physical = 0x10000, .memory_size = 0x3000, .file_size = 0x1000}};
    const Written written(synthetic);
    const Core core = written.open();
    const auto with_data = core.with_data();
    CHECK(with_data.test(1)); // its beginning is missing
    CHECK(with_data.test(2));
    CHECK_FALSE(with_data.test(3));
    CHECK(with_data.test(0x10));
    CHECK(core.present().test(0x11));
    CHECK_FALSE(with_data.test(0x11)); // memory, but not in the file
    CHECK(with_data.count() == 3);
}

TEST_CASE("A page that two PT_LOADs share has all its data") {
    SyntheticCore synthetic;
    synthetic.segments = {{.physical = 0x1000, .memory_size = 0x1800, .file_size = {}},
                          {.physical = 0x2800, .memory_size = 0x1800, .file_size = {}}};
    const Written written(synthetic);
    CHECK(written.open().with_data().count() == 3);
}

TEST_CASE("A file that doesn't exist is named with the system's reason") {
    CHECK(failure([] { Core::open("/nowhere/vmcore"); }) ==
          "/nowhere/vmcore: can't open it: No such file or directory");
}

TEST_CASE("A folder is no core") {
    const Folder folder;
    CHECK_THAT(failure([&] { Core::open(folder.path()); }), EndsWith("not a regular file"));
}

TEST_CASE("A file that isn't an ELF is told from one that is cut off") {
    const Written written;
    written.cut(0);
    CHECK_THAT(written.open_failure(), ContainsSubstring("the file is empty"));
    written.patch(0, std::uint32_t{0x706d756b});
    CHECK_THAT(written.open_failure(), ContainsSubstring("neither an ELF file"));
}

TEST_CASE("A file that ends within the ELF header says how much is missing") {
    const Written written;
    written.cut(50);
    CHECK_THAT(written.open_failure(),
               EndsWith("truncated: the ELF header should be at offset 0, 64 bytes long, but the file ends at 50: 14 "
                        "bytes are missing"));
}

TEST_CASE("A file that ends within the program headers says how much is missing") {
    const Written written;
    written.cut(100);
    CHECK_THAT(written.open_failure(),
               EndsWith("truncated: the table of 3 program headers should be at offset 64, 168 bytes long, but the "
                        "file ends at 100: 132 bytes are missing"));
}

TEST_CASE("A file that ends within the notes says how much is missing") {
    const Written written;
    written.cut(written.layout.notes + 20);
    CHECK_THAT(written.open_failure(),
               EndsWith(fmt::format("truncated: the notes (program header 0) should be at offset 4096, {} bytes long, "
                                    "but the file ends at 4116: {} bytes are missing",
                                    written.layout.notes_size, written.layout.notes_size - 20)));
}

TEST_CASE("A file that ends within a PT_LOAD's data says how much is missing") {
    const Written written;
    written.cut(written.layout.size - 1000);
    CHECK_THAT(written.open_failure(), ContainsSubstring("truncated: the data of PT_LOAD (program header 2)"));
    CHECK_THAT(written.open_failure(), EndsWith(": 1000 bytes are missing"));
}

TEST_CASE("A file that ends before a PT_LOAD starts misses all of its data, and no more") {
    const Written written;
    written.cut(written.layout.notes + written.layout.notes_size);
    REQUIRE(written.layout.segments[0] > written.layout.notes + written.layout.notes_size);
    CHECK_THAT(written.open_failure(), ContainsSubstring("PT_LOAD (program header 1)"));
    CHECK_THAT(written.open_failure(), EndsWith(": 650240 bytes are missing"));
}

TEST_CASE("ELF files of other kinds are refused by name") {
    const Written written;
    SECTION("32-bit") {
        written.patch(EI_CLASS, static_cast<unsigned char>(ELFCLASS32));
        CHECK_THAT(written.open_failure(), ContainsSubstring("a 32-bit ELF"));
    }
    SECTION("big endian") {
        written.patch(EI_DATA, static_cast<unsigned char>(ELFDATA2MSB));
        CHECK_THAT(written.open_failure(), ContainsSubstring("a big endian ELF"));
    }
    SECTION("a program") {
        written.patch(offsetof(Elf64_Ehdr, e_type), static_cast<std::uint16_t>(ET_EXEC));
        CHECK_THAT(written.open_failure(), ContainsSubstring("not a core"));
    }
    SECTION("another machine") {
        written.patch(offsetof(Elf64_Ehdr, e_machine), static_cast<std::uint16_t>(EM_AARCH64));
        CHECK_THAT(written.open_failure(), ContainsSubstring("another machine (ELF machine 183)"));
    }
}

TEST_CASE("A core whose kernel doesn't describe itself is refused") {
    SyntheticCore synthetic;
    synthetic.vmcoreinfo.clear();
    const Written written(synthetic);
    CHECK_THAT(written.open_failure(), ContainsSubstring("no VMCOREINFO note"));
}

TEST_CASE("A core without notes has no VMCOREINFO") {
    SyntheticCore synthetic;
    synthetic.vmcoreinfo.clear();
    synthetic.notes.clear();
    const Written written(synthetic);
    CHECK_THAT(written.open_failure(), ContainsSubstring("no VMCOREINFO note"));
}

TEST_CASE("A note that claims more than there is ends the notes") {
    const Written written;
    written.patch(written.layout.notes + offsetof(Elf64_Nhdr, n_descsz), std::uint32_t{0xfffffff0});
    CHECK_THAT(written.open_failure(), ContainsSubstring("no VMCOREINFO note"));
}

TEST_CASE("A core without memory is refused") {
    SyntheticCore synthetic;
    synthetic.segments.clear();
    const Written written(synthetic);
    CHECK_THAT(written.open_failure(), ContainsSubstring("no memory in this core"));
}

TEST_CASE("Physical addresses that x86-64 can't have are refused") {
    const Written written;
    written.patch(written.layout.program_headers + 2 * sizeof(Elf64_Phdr) + offsetof(Elf64_Phdr, p_paddr),
                  std::uint64_t{0xfffffffffffff000});
    CHECK_THAT(written.open_failure(), ContainsSubstring("beyond what x86-64 can have"));
}

TEST_CASE("An offset so high that it wraps around is refused") {
    const Written written;
    written.patch(written.layout.program_headers + 2 * sizeof(Elf64_Phdr) + offsetof(Elf64_Phdr, p_offset),
                  std::uint64_t{0xfffffffffffff000});
    CHECK_THAT(written.open_failure(), ContainsSubstring("not a core"));
}

TEST_CASE("Another page size than x86-64's is refused") {
    SyntheticCore synthetic;
    synthetic.vmcoreinfo["PAGESIZE"] = "65536";
    CHECK_THAT(Written(synthetic).open_failure(), ContainsSubstring("tells 65536 as page size, not 4096"));
    synthetic.vmcoreinfo.erase("PAGESIZE");
    CHECK_THAT(Written(synthetic).open_failure(), ContainsSubstring("tells nothing as page size"));
}

TEST_CASE("More program headers than the ELF header can count are found through the first section header") {
    const Written written;
    const std::uint64_t section_header = written.layout.size;
    Elf64_Shdr section{};
    section.sh_info = 3;
    written.patch(section_header, section);
    written.patch(offsetof(Elf64_Ehdr, e_shoff), section_header);
    written.patch(offsetof(Elf64_Ehdr, e_shnum), std::uint16_t{1});
    written.patch(offsetof(Elf64_Ehdr, e_shentsize), static_cast<std::uint16_t>(sizeof section));
    written.patch(offsetof(Elf64_Ehdr, e_phnum), static_cast<std::uint16_t>(PN_XNUM));
    CHECK(written.open().max_pfn() == 65536);
}

TEST_CASE(
    "What has no place in the file or in physical memory is no memory: a device in QEMU's dumps, vmalloc in kcore") {
    const Written written;
    const std::uint64_t header = written.layout.program_headers + 2 * sizeof(Elf64_Phdr);
    SECTION("no place in the file") {
        written.patch(header + offsetof(Elf64_Phdr, p_offset), UINT64_MAX);
        written.patch(header + offsetof(Elf64_Phdr, p_filesz), std::uint64_t{0});
    }
    SECTION("no physical address") {
        written.patch(header + offsetof(Elf64_Phdr, p_paddr), UINT64_MAX);
    }
    CHECK(written.open().max_pfn() == 0xa0);
}

TEST_CASE("Program headers stand anywhere, and PT_LOADs at any offset, as in QEMU's dumps") {
    SyntheticCore synthetic;
    synthetic.page(256).fill(std::byte{7});
    const Written written(synthetic);
    // The table moves to an odd place behind all else, and the data of the second PT_LOAD starts 16 bytes late.
    std::ifstream file(written.path(), std::ios::binary);
    std::array<Elf64_Phdr, 3> table{};
    file.seekg(static_cast<std::streamoff>(written.layout.program_headers));
    file.read(reinterpret_cast<char *>(table.data()), sizeof table);
    table[2].p_offset += 16;
    table[2].p_paddr += 16;
    table[2].p_filesz -= 16;
    table[2].p_memsz -= 16;
    const std::uint64_t place = written.layout.size + 5;
    written.patch(place, table);
    written.patch(offsetof(Elf64_Ehdr, e_phoff), place);
    const Core core = written.open();
    CHECK(core.max_pfn() == 65536);
    ballast::dump::PageReader reader = core.reader();
    const auto page = reader.page(256);
    CHECK(std::all_of(page.begin(), page.begin() + 16, [](std::byte byte) { return byte == std::byte{0}; }));
    CHECK(std::all_of(page.begin() + 16, page.end(), [](std::byte byte) { return byte == std::byte{7}; }));
}
