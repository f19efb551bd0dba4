// SPDX-License-Identifier: GPL-2.0
// On a file system that is really full, rather than beyond a limit (-L, ulimit -f).
#include "peers/dump_file.hpp"
#include "pmakedumpfile.hpp"
#include "small_core.hpp"
#include "support/file.hpp"
#include "support/folder.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <filesystem>
#include <nlohmann/json.hpp>

using namespace ballast::test;
using ballast::peers::DumpFile;
using Catch::Matchers::ContainsSubstring;

namespace {

constexpr std::uint64_t pages = 1024;

/** A core of 4 MiB, and a small disk. */
class SmallDisk {
  public:
    explicit SmallDisk(std::string size) : size_(std::move(size)) {
        make_core(core, {.pages = pages, .vmcoreinfo = true});
        std::filesystem::create_directory(path());
    }

    /** A file's place on the disk while the program runs; afterwards what is in it is in kept(). */
    [[nodiscard]] std::string on_disk(const std::string &name) const { return path() / name; }
    [[nodiscard]] std::string kept(const std::string &name) const { return kept_.path() / name; }
    [[nodiscard]] std::set<std::string> kept_names() const { return names_in(kept_.path()); }
    [[nodiscard]] std::string beside(const std::string &name) const { return folder_.path() / name; }

    [[nodiscard]] Outcome run(const std::vector<std::string> &arguments) const {
        return pmakedumpfile_on_tmpfs(path(), "size=" + size_, kept_.path(), arguments);
    }

  private:
    [[nodiscard]] std::filesystem::path path() const { return folder_.path() / "disk"; }

    Folder folder_;
    Folder kept_;
    std::string size_;

  public:
    std::string core = beside("core");
};

/** A dump that is marked incomplete, some of whose pages are in it, and right. */
void require_incomplete(const std::string &dump) {
    CHECK((DumpFile(dump).header().status & ballast::peers::status_incomplete) != 0);
    const std::uint64_t readable = readable_pages(dump, pages);
    CHECK(readable > pages / 8);
    CHECK(readable < pages);
    require_refusal({"--verify", "--message-level", "4", dump}, "marked incomplete");
}

} // namespace

TEST_CASE("On a full disk what was written is kept, marked incomplete, and readable") {
    const SmallDisk disk("1m");
    std::vector<std::string> arguments = {"--num-threads", GENERATE("1", "3")};
    SECTION("as it is") {}
    SECTION("compressed") {
        arguments.emplace_back(GENERATE("-c", "-l", "-p", "-z"));
    }
    SECTION("with data that is shared") {
        arguments.insert(arguments.end(), {"-l", "--dedup"});
    }
    SECTION("the pages of zeros left out") {
        arguments.insert(arguments.end(), {"-d", "1"});
    }
    arguments.insert(arguments.end(), {disk.core, disk.on_disk("dump")});
    require_refusal(arguments, disk.run(arguments), "no space");
    REQUIRE(disk.kept_names() == std::set<std::string>{"dump"});
    require_incomplete(disk.kept("dump"));
}

TEST_CASE("On a full disk an ELF dump tells of no data that is not there") {
    const SmallDisk disk("1m");
    const std::string threads = GENERATE("1", "3");
    const std::vector<std::string> arguments = {"-E", "--num-threads", threads, disk.core, disk.on_disk("dump")};
    require_refusal(arguments, disk.run(arguments), "no space");
    REQUIRE(disk.kept_names() == std::set<std::string>{"dump"});
    // As a core again: a PT_LOAD with data beyond the file's end would be refused.
    const std::string again = disk.beside("again");
    const Outcome outcome = pmakedumpfile({"--stats=json", disk.kept("dump"), again});
    INFO(outcome.errors);
    REQUIRE(outcome.status == exit_ok);
    const std::uint64_t with_data = nlohmann::json::parse(outcome.output)["pages"]["with_data"];
    // Data ends where the first write failed, which may be one whose thread others overtook.
    CHECK((with_data > pages / 8 || threads != "1"));
    CHECK(with_data < pages);
    CHECK(readable_pages(again, pages) == with_data);
}

TEST_CASE("On a full disk each part of a split dump is kept, marked incomplete, and readable") {
    const SmallDisk disk("1m");
    const std::vector<std::string> arguments = {"--split", "-l", disk.core, disk.on_disk("first"),
                                                disk.on_disk("second")};
    require_refusal(arguments, disk.run(arguments), "no space");
    REQUIRE(disk.kept_names() == std::set<std::string>{"first", "second"});
    for (const char *part : {"first", "second"}) {
        CHECK((DumpFile(disk.kept(part)).header().status & ballast::peers::status_incomplete) != 0);
    }
    const std::vector<std::string> verify = {"--verify", disk.kept("first"), disk.kept("second")};
    const Outcome verified = pmakedumpfile(verify);
    require_refusal(verify, verified, "marked incomplete");
    CHECK_THAT(verified.output, ContainsSubstring(" 0 damaged, "));
    // What is there makes one dump.
    const std::string whole = disk.beside("whole");
    require_refusal({"--reassemble", "--message-level", "4", disk.kept("second"), disk.kept("first"), whole},
                    "pages that the parts should have are lost");
    CHECK((DumpFile(whole).header().status & ballast::peers::status_incomplete) != 0);
}

TEST_CASE("On a full disk a dump that is put together of parts is kept, marked incomplete, and readable") {
    const SmallDisk disk("1m");
    REQUIRE(pmakedumpfile({"--split", "-l", disk.core, disk.beside("first"), disk.beside("second")}).status == exit_ok);
    const std::vector<std::string> arguments = {"--reassemble", disk.beside("first"), disk.beside("second"),
                                                disk.on_disk("dump")};
    require_refusal(arguments, disk.run(arguments), "no space");
    require_incomplete(disk.kept("dump"));
}

TEST_CASE("On a disk too full for one dump level the next one is tried") {
    // Compressed, the pages of zeros make some KB more than where they are shared.
    const SmallDisk any("1m");
    REQUIRE(pmakedumpfile({"-c", "-d", "1", any.core, any.beside("small")}).status == exit_ok);
    REQUIRE(pmakedumpfile({"-c", "-d", "0", any.core, any.beside("large")}).status == exit_ok);
    constexpr std::uint64_t block = 4096;
    const std::uint64_t room = (std::filesystem::file_size(any.beside("small")) + block - 1) / block * block;
    REQUIRE(std::filesystem::file_size(any.beside("large")) > room);

    const SmallDisk disk(std::to_string(room));
    const Outcome outcome = disk.run({"-c", "-d", "0,1", disk.core, disk.on_disk("dump")});
    INFO(outcome.output << outcome.errors);
    REQUIRE(outcome.status == exit_ok);
    CHECK_THAT(outcome.output, ContainsSubstring("Trying dump level 1"));
    CHECK(read_file(disk.kept("dump")) == read_file(any.beside("small")));
}

TEST_CASE("Pages of zeros take no room on the disk") {
    // A quarter of the core's 4 MiB are zeros.
    const SmallDisk disk("3300k");
    const Outcome outcome = disk.run({"-d", "0", disk.core, disk.on_disk("dump")});
    INFO(outcome.output << outcome.errors);
    REQUIRE(outcome.status == exit_ok);
    CHECK(readable_pages(disk.kept("dump"), pages) == pages);
    CHECK(std::filesystem::file_size(disk.kept("dump")) > pages * 4096);
}

TEST_CASE("On a disk too full for the headers it fails in one line") {
    const SmallDisk disk("8k");
    const std::vector<std::string> arguments = {disk.core, disk.on_disk("dump")};
    require_refusal(arguments, disk.run(arguments), "no space");
}

TEST_CASE("An output device without room is refused in one line") {
    const SmallDisk disk("1m");
    require_refusal({"-f", disk.core, "/dev/full"}, "/dev/full");
}

TEST_CASE("An answer that can't be printed is an error, told in one line") {
    const std::vector<std::string> question = GENERATE(std::vector<std::string>{"-h"}, std::vector<std::string>{"-v"},
                                                       std::vector<std::string>{"--stats=json", "--dry-run"});
    const SmallDisk disk("1m");
    std::vector<std::string> command = {"sh", "-c", R"("$0" --message-level 4 "$@" >/dev/full)", BALLAST_PMAKEDUMPFILE};
    command.insert(command.end(), question.begin(), question.end());
    if (question.back() == "--dry-run") {
        command.push_back(disk.core);
    }
    require_refusal(question, run(command), "standard output: No space left on device");
}

TEST_CASE("Messages that can't be printed don't stop a dump") {
    const SmallDisk disk("1m");
    const Outcome outcome =
        run({"sh", "-c", R"("$0" "$@" >/dev/full)", BALLAST_PMAKEDUMPFILE, disk.core, disk.beside("dump")});
    INFO(outcome.errors);
    CHECK(outcome.status == exit_ok);
    CHECK(readable_pages(disk.beside("dump"), pages) == pages);
}
