// SPDX-License-Identifier: GPL-2.0
#include "dump/output/output_file.hpp"

#include "dump/input/error.hpp"
#include "support/folder.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_exception.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <sys/stat.h>
#include <unistd.h>

namespace {

using namespace ballast::dump;
using Catch::Matchers::ContainsSubstring;

void make_file(const std::string &path, const std::string &text) {
    std::ofstream(path) << text;
}

/** What check_output() has against the file; empty where it agrees. */
std::string objection(const std::string &path, bool overwrite, const std::string &core = "/nonexistent") {
    try {
        check_output(path, overwrite, std::span(&core, 1));
    } catch (const Error &error) {
        CHECK(error.exit_status() == 1);
        return error.what();
    }
    return "";
}

} // namespace

TEST_CASE("A new file in a folder that can be written to is fine") {
    const Folder folder;
    CHECK(objection(folder.path() / "dump", false).empty());
    CHECK_FALSE(std::filesystem::exists(folder.path() / "dump"));
}

TEST_CASE("A file that exists is overwritten only on demand") {
    const Folder folder;
    const std::string path = folder.path() / "dump";
    make_file(path, "precious");
    CHECK_THAT(objection(path, false), ContainsSubstring(path + " exists") && ContainsSubstring("-f"));
    CHECK_THROWS_AS(OutputFile(path, false), Error);
    CHECK(folder.read(path) == "precious");

    CHECK(objection(path, true).empty());
    OutputFile(path, true).close();
    CHECK(folder.read(path).empty());
}

TEST_CASE("The core is never overwritten, by whatever name") {
    const Folder folder;
    const std::string core = folder.path() / "core";
    make_file(core, "the only one");
    std::filesystem::create_symlink(core, folder.path() / "link");
    std::filesystem::create_hard_link(core, folder.path() / "other");
    for (const std::string name : {"core", "link", "other"}) {
        CHECK_THAT(objection(folder.path() / name, true, core), ContainsSubstring("is the vmcore itself"));
    }
}

TEST_CASE("What can't be created is told before the work") {
    const Folder folder;
    CHECK_THAT(objection(folder.path() / "no/such/dump", false), ContainsSubstring("No such file or directory"));
    CHECK_THAT(objection(folder.path(), true), ContainsSubstring("Is a directory"));
    make_file(folder.path() / "file", "");
    CHECK_THAT(objection(folder.path() / "file/dump", false), ContainsSubstring("Not a directory"));
}

TEST_CASE("A dump is for its owner's eyes only") {
    const Folder folder;
    const std::string path = folder.path() / "dump";
    OutputFile(path, false).close();
    struct stat status {};
    REQUIRE(stat(path.c_str(), &status) == 0);
    CHECK((status.st_mode & 07777U) == 0600U);
}

TEST_CASE("Reserved room is taken from the disk at once") {
    const Folder folder;
    const std::string path = folder.path() / "dump";
    OutputFile file(path, false);
    constexpr std::uint64_t size = 1U << 20U;
    file.reserve(size);
    struct stat status {};
    REQUIRE(stat(path.c_str(), &status) == 0);
    CHECK(static_cast<std::uint64_t>(status.st_size) == size);
    CHECK(static_cast<std::uint64_t>(status.st_blocks) * 512 >= size);
}

TEST_CASE("Reserved room reads as zeros until it is written") {
    const Folder folder;
    const std::string path = folder.path() / "dump";
    OutputFile file(path, false);
    file.reserve(10'000);
    const std::string text = "here";
    file.write(5000, std::as_bytes(std::span(text)));
    file.close();

    std::string expected(10'000, '\0');
    expected.replace(5000, text.size(), text);
    CHECK(folder.read(path) == expected);
}

TEST_CASE("A hole makes the file longer up to the limit on its size, wherever it begins") {
    const Folder folder;
    const std::string path = folder.path() / "dump";
    OutputFile file(path, false, 10'000);
    CHECK(file.leave_hole(20'000, 4096).bytes == 0);
    CHECK(file.leave_hole(8192, 4096).bytes == 1808);
    file.close();
    CHECK(std::filesystem::file_size(path) == 10'000);
}
