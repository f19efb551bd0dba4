// SPDX-License-Identifier: GPL-2.0
#include "peers/dump_file.hpp"
#include "pmakedumpfile.hpp"
#include "small_core.hpp"
#include "support/file.hpp"
#include "support/folder.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <elf.h>
#include <filesystem>
#include <random>
#include <sys/stat.h>

using namespace ballast::test;

namespace {

struct Place {
    Folder folder;
    std::string core = folder.path() / "core";
    std::string dump = folder.path() / "dump";
};

/** Refused with these words, whether there is a dump already or not; and that dump stays as it was. */
void require_core_refused(const Place &place, const std::string &words) {
    std::filesystem::remove(place.dump);
    const auto before = names_in(place.folder.path());
    require_refusal({place.core, place.dump}, words);
    CHECK(names_in(place.folder.path()) == before);

    place.folder.write("dump", "a good old dump");
    require_refusal({"-f", place.core, place.dump}, words);
    CHECK(read_file(place.dump) == "a good old dump");
}

/** A copy of a core with some bytes changed: half of them in the ELF and program headers, half in the notes. */
std::string damage(std::string core, const CoreLayout &layout, unsigned bytes, std::minstd_rand &random) {
    constexpr std::uint64_t headers = sizeof(Elf64_Ehdr) + 2 * sizeof(Elf64_Phdr);
    for (unsigned n = 0; n < bytes; n++) {
        const bool in_headers = random() % 2 == 0;
        const std::uint64_t at = in_headers ? random() % headers : layout.notes + random() % layout.notes_size;
        core[at] = static_cast<char>(random() >> 8U);
    }
    return core;
}

} // namespace

TEST_CASE("A core that is not there is refused") {
    const Place place;
    require_core_refused(place, "no such file");
}

TEST_CASE("A core below a file is refused") {
    Place place;
    place.folder.write("file", "");
    place.core = place.folder.path() / "file" / "core";
    require_core_refused(place, "not a directory");
}

TEST_CASE("A core that is no regular file is refused, and a pipe without a writer is not waited for") {
    Place place;
    SECTION("a folder") {
        place.core = place.folder.path() / "folder";
        std::filesystem::create_directory(place.core);
    }
    SECTION("a pipe") {
        REQUIRE(::mkfifo(place.core.c_str(), 0600) == 0);
    }
    SECTION("an empty device") {
        place.core = "/dev/null";
    }
    SECTION("an endless device") {
        place.core = "/dev/zero";
    }
    require_core_refused(place, place.core);
}

TEST_CASE("A file that is no ELF is refused") {
    const Place place;
    SECTION("text") {
        place.folder.write("core", std::string(100000, 'x'));
    }
    SECTION("nothing at all") {
        place.folder.write("core", "");
    }
    require_core_refused(place, place.core);
}

TEST_CASE("A 32-bit ELF is refused") {
    const Place place;
    make_core(place.core);
    poke(place.core, EI_CLASS, {ELFCLASS32});
    require_core_refused(place, "32-bit");
}

TEST_CASE("A big-endian ELF is refused") {
    const Place place;
    make_core(place.core);
    poke(place.core, EI_DATA, {ELFDATA2MSB});
    require_core_refused(place, "endian");
}

TEST_CASE("An ELF that is no core is refused") {
    Place place;
    place.core = "/proc/self/exe";
    require_core_refused(place, "not a core");
}

TEST_CASE("A core of another machine is refused") {
    const Place place;
    make_core(place.core);
    poke(place.core, offsetof(Elf64_Ehdr, e_machine), {static_cast<char>(EM_AARCH64), '\0'});
    require_core_refused(place, "x86-64");
}

TEST_CASE("A core without VMCOREINFO is refused") {
    const Place place;
    make_core(place.core, {.pages = 16, .vmcoreinfo = false});
    require_core_refused(place, "VMCOREINFO");
}

TEST_CASE("A core without memory is refused") {
    const Place place;
    make_core(place.core, {.pages = 0, .vmcoreinfo = true});
    require_core_refused(place, "memory");
}

TEST_CASE("A core that was cut in its header, its notes or its data is refused as truncated") {
    const Place place;
    const CoreLayout layout = make_core(place.core);
    const std::uint64_t size = GENERATE_COPY(sizeof(Elf64_Ehdr) - 1, sizeof(Elf64_Ehdr) + 10, layout.notes,
                                             layout.notes + layout.notes_size / 2, layout.data - 1, layout.data,
                                             layout.data + (layout.size - layout.data) / 2, layout.size - 1);
    CAPTURE(size);
    std::filesystem::resize_file(place.core, size);
    require_core_refused(place, "truncated");
}

TEST_CASE("A core cut anywhere is refused in one line, never a crash nor a hang") {
    const Place place;
    const CoreLayout layout = make_core(place.core, {.pages = 32, .vmcoreinfo = true});
    constexpr std::uint64_t fine = 53;     // through headers and notes
    constexpr std::uint64_t coarse = 4093; // through the data
    for (std::uint64_t size = layout.size - 1; size > 0; size -= std::min(size, size > layout.data ? coarse : fine)) {
        CAPTURE(size);
        std::filesystem::resize_file(place.core, size);
        require_refusal({place.core, place.dump}, place.core);
        REQUIRE(names_in(place.folder.path()) == std::set<std::string>{"core"});
    }
}

TEST_CASE("A core with damaged headers is refused or dumped, never a crash nor a hang") {
    const Place place;
    const CoreLayout layout = make_core(place.core, {.pages = 32, .vmcoreinfo = true});
    const std::string good = read_file(place.core);
    constexpr unsigned cores = 250;
    std::minstd_rand random(20161109); // NOLINT(cert-msc32-c,cert-msc51-cpp): the same cores in each run
    for (unsigned n = 0; n < cores; n++) {
        const std::string damaged = damage(good, layout, n % 4 + 1, random);
        place.folder.write("core", damaged);
        const std::vector<std::string> arguments = {"-f", "-d", "31", "-l", place.core, place.dump};
        const Outcome outcome = pmakedumpfile(arguments);
        CAPTURE(n);
        INFO(describe(arguments, outcome));
        REQUIRE_FALSE(outcome.timed_out);
        REQUIRE(outcome.signal == 0);
        if (outcome.status == exit_ok) {
            REQUIRE_NOTHROW(ballast::peers::DumpFile(place.dump));
        } else {
            require_refusal(arguments, outcome, "");
        }
    }
}

TEST_CASE("A core that claims gigabytes of notes is refused, not given so much memory") {
    const Place place;
    make_core(place.core);
    std::filesystem::resize_file(place.core, std::uint64_t{4} << 30); // a hole
    constexpr std::uint64_t note = sizeof(Elf64_Ehdr);
    poke(place.core, note + offsetof(Elf64_Phdr, p_filesz), std::string("\0\0\0\xc0\0\0\0\0", 8));
    require_core_refused(place, "notes (program header 0) of 3221225472 bytes");
}

TEST_CASE(
    "A small core that claims memory at the end of the address space is refused, not given gigabytes of bitmaps") {
    const Place place;
    make_core(place.core);
    const std::uint64_t load = sizeof(Elf64_Ehdr) + sizeof(Elf64_Phdr);
    poke(place.core, load + offsetof(Elf64_Phdr, p_paddr) + 5, {static_cast<char>(0xc8)}); // 200 TiB
    require_core_refused(place, place.core);
}
