// SPDX-License-Identifier: GPL-2.0
#include "peers/dump_file.hpp"
#include "pmakedumpfile.hpp"
#include "small_core.hpp"
#include "support/file.hpp"
#include "support/folder.hpp"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <filesystem>

using namespace ballast::test;
using ballast::peers::DumpFile;

namespace {

constexpr std::uint64_t pages = 1024;

struct Place {
    Folder folder;
    std::string core = folder.path() / "core";
    std::string dump = folder.path() / "dump";
    Place() { make_core(core, {.pages = pages, .vmcoreinfo = true}); }
};

} // namespace

TEST_CASE("Every compressor's dump holds every page of the core") {
    const Place place;
    const std::string level = GENERATE("0", "1");
    const std::string compressor = GENERATE("", "-c", "-l", "-p", "-z");
    std::vector<std::string> arguments = {"-d", level, place.core, place.dump};
    if (!compressor.empty()) {
        arguments.insert(arguments.begin(), compressor);
    }
    const Outcome outcome = pmakedumpfile(arguments);
    INFO(describe(arguments, outcome));
    REQUIRE(outcome.status == exit_ok);
    CHECK(readable_pages(place.dump, pages) == pages);
    CHECK(DumpFile(place.dump).dumped_count() == pages);
    CHECK((DumpFile(place.dump).header().status & ballast::peers::status_incomplete) == 0);
}

TEST_CASE("An output that exists is refused without -f and left alone") {
    const Place place;
    place.folder.write("dump", "a good old dump");
    require_refusal({place.core, place.dump}, "exists");
    CHECK(read_file(place.dump) == "a good old dump");
}

TEST_CASE("An output that exists is replaced with -f, whatever its size was") {
    const Place place;
    REQUIRE(pmakedumpfile({place.core, place.dump}).status == exit_ok);
    const std::string fresh = read_file(place.dump);
    place.folder.write("dump", std::string(fresh.size() + 100000, 'x'));
    REQUIRE(pmakedumpfile({"-f", place.core, place.dump}).status == exit_ok);
    CHECK(read_file(place.dump) == fresh);
}

TEST_CASE("An output that is the core itself is refused, and the core survives") {
    const Place place;
    const std::string core = read_file(place.core);
    std::string output = place.core;
    SECTION("by the same name") {}
    SECTION("by another spelling") {
        output = place.folder.path() / "." / "core";
    }
    SECTION("through a symbolic link") {
        output = place.folder.path() / "link";
        std::filesystem::create_symlink("core", output);
    }
    SECTION("through a hard link") {
        output = place.folder.path() / "link";
        std::filesystem::create_hard_link(place.core, output);
    }
    const auto before = names_in(place.folder.path());
    require_refusal({"-f", place.core, output}, output);
    CHECK(read_file(place.core) == core);
    CHECK(names_in(place.folder.path()) == before);
}

TEST_CASE("An output in a folder that is not there is refused") {
    const Place place;
    require_refusal({place.core, place.folder.path() / "no" / "dump"}, "no such file");
    CHECK(names_in(place.folder.path()) == std::set<std::string>{"core"});
}

TEST_CASE("An output below a file is refused") {
    const Place place;
    require_refusal({place.core, place.core + "/dump"}, "not a directory");
}

TEST_CASE("An output that is a folder is refused") {
    const Place place;
    std::filesystem::create_directory(place.dump);
    require_refusal({"-f", place.core, place.dump}, place.dump);
    CHECK(std::filesystem::is_directory(place.dump));
}

TEST_CASE("An output in a read-only folder is refused") {
    const Place place;
    const Folder kept;
    const std::filesystem::path disk = place.folder.path() / "disk";
    std::filesystem::create_directory(disk);
    const std::vector<std::string> arguments = {place.core, disk / "dump"};
    require_refusal(arguments, pmakedumpfile_on_tmpfs(disk, "ro", kept.path(), arguments), "read-only");
    CHECK(names_in(kept.path()).empty());
}

TEST_CASE("A limit on the file's size is kept, and where there is no room at one dump level the next is tried") {
    const Place place;
    require_refusal({"-L", "1000000", place.core, place.dump}, "limit of 1000000 bytes");
    CHECK(std::filesystem::file_size(place.dump) <= 1'000'000);
    CHECK(pmakedumpfile({"-f", "-L", "1000000", "-d", "0,1", "-z", place.core, place.dump}).status == exit_failed);
    CHECK(pmakedumpfile({"-f", "-L", "3300000", "-d", "0,1", place.core, place.dump}).status == exit_ok);
    CHECK(DumpFile(place.dump).header().dump_level == 1);
    CHECK(std::filesystem::file_size(place.dump) <= 3'300'000);
}

TEST_CASE("A dump on standard output is put into a file again") {
    const Place place;
    const std::string flat = place.folder.path() / "flat";
    const Outcome outcome = run({"sh", "-c", "$0 -F -l -d 1 $1 > $2", BALLAST_PMAKEDUMPFILE, place.core, flat});
    INFO(outcome.errors);
    REQUIRE(outcome.status == exit_ok);
    CHECK(outcome.errors.find("STDOUT") != std::string::npos);
    REQUIRE(run({"sh", "-c", "$0 -R $1 < $2", BALLAST_PMAKEDUMPFILE, place.dump, flat}).status == exit_ok);
    CHECK(readable_pages(place.dump, pages) == pages);
    REQUIRE(pmakedumpfile({"-f", "-l", "-d", "1", place.core, flat}).status == exit_ok);
    CHECK(read_file(place.dump) == read_file(flat));
}

TEST_CASE("A dump on standard output that was cut off is put into a file as far as it goes, marked incomplete") {
    const Place place;
    const std::string flat = place.folder.path() / "flat";
    REQUIRE(run({"sh", "-c", "$0 -F -d 0 $1 > $2", BALLAST_PMAKEDUMPFILE, place.core, flat}).status == exit_ok);
    std::filesystem::resize_file(flat, std::filesystem::file_size(flat) / 2);
    const Outcome outcome = run({"sh", "-c", "$0 -R $1 < $2", BALLAST_PMAKEDUMPFILE, place.dump, flat});
    CHECK(outcome.status == exit_failed);
    CHECK(outcome.errors.find("ends before the end of the dump") != std::string::npos);
    CHECK(DumpFile(place.dump).header().status == 8);
    const std::uint64_t readable = readable_pages(place.dump, pages);
    CHECK(readable > pages / 3);
    CHECK(readable < pages);
}

TEST_CASE(
    "A dump on standard output with a record for a place far behind all dumps is refused, no huge file made of it") {
    const Place place;
    const std::string flat = place.folder.path() / "flat";
    REQUIRE(run({"sh", "-c", "$0 -F -l -d 1 $1 > $2", BALLAST_PMAKEDUMPFILE, place.core, flat}).status == exit_ok);
    // The second record's offset, big endian: behind the header of the format, the first record's head and its data.
    const std::string bytes = read_file(flat);
    std::uint64_t second = 4096;
    for (std::size_t n = 0; n < sizeof second; n++) {
        second += static_cast<std::uint64_t>(static_cast<unsigned char>(bytes[4096 + 8 + n])) << (56 - 8 * n);
    }
    poke(flat, second + 16, std::string("\x10", 1));
    const std::vector<std::string> command = {"sh", "-c", "$0 -R $1 < $2", BALLAST_PMAKEDUMPFILE, place.dump, flat};
    require_refusal(command, run(command), "the standard input: damaged: a record of ");
    CHECK(std::filesystem::file_size(place.dump) < std::filesystem::file_size(flat));
    require_refusal({flat, place.dump + "2"}, flat + ": damaged: a record of ");
}

TEST_CASE("Of a dump that was cut off a dump is made that is marked incomplete, with status 1") {
    const Place place;
    const std::string all = place.folder.path() / "all";
    const std::string threads = GENERATE("1", "2");
    REQUIRE(pmakedumpfile({"-d", "0", place.core, all}).status == exit_ok);
    std::filesystem::resize_file(all, std::filesystem::file_size(all) / 2);
    require_refusal({"-l", "--num-threads", threads, "--message-level", "4", all, place.dump},
                    "pages that the core should have are lost: the dump is marked incomplete");
    CHECK(DumpFile(place.dump).header().status == (2 | 8));
    // What was there is in it.
    CHECK(pmakedumpfile({"--verify", place.dump}).output.find(" 0 damaged, 0 lost,") != std::string::npos);
}

TEST_CASE("Of a split dump that lacks pages a dump is put together that is marked incomplete, with status 1") {
    const Place place;
    const std::string first = place.folder.path() / "first";
    const std::string second = place.folder.path() / "second";
    std::vector<std::string> split = {"--split", "-l", place.core, first, second};
    SECTION("a part was cut off") {
        REQUIRE(pmakedumpfile(split).status == exit_ok);
        std::filesystem::resize_file(second, std::filesystem::file_size(second) / 2);
    }
    SECTION("its disk was full") {
        split.insert(split.begin(), {"-L", "1000000"});
        REQUIRE(pmakedumpfile(split).status == exit_failed);
    }
    require_refusal({"--reassemble", "--message-level", "4", second, first, place.dump},
                    "pages that the parts should have are lost: the dump is marked incomplete");
    CHECK(DumpFile(place.dump).header().status == (2 | 8));
    // What was there is in it.
    CHECK(pmakedumpfile({"--verify", place.dump}).output.find(" 0 damaged, 0 lost,") != std::string::npos);
}

TEST_CASE("A reader of standard output that goes away ends the run with one line") {
    const Place place;
    const Outcome outcome =
        run({"sh", "-c", "($0 -F $1; echo status $? >&2) | head -c 100 >/dev/null", BALLAST_PMAKEDUMPFILE, place.core});
    CHECK(outcome.errors.find("Can't write the standard output: Broken pipe") != std::string::npos);
    CHECK(outcome.errors.find("status 1") != std::string::npos);
}
