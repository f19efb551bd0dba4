// SPDX-License-Identifier: GPL-2.0
#include "dump/input/core.hpp"
#include "dump/input/file.hpp"
#include "dump/input/flattened.hpp"
#include "dump/input/page_reader.hpp"
#include "dump_machine.hpp"
#include "failure.hpp"
#include "support/folder.hpp"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <filesystem>
#include <fstream>

using namespace ballast::dump;
using Catch::Matchers::ContainsSubstring;

namespace {

/** A flattened file, record by record. */
class Flattened {
  public:
    Flattened() { put(flattened::make_header()); }

    void record(std::int64_t offset, const std::string &bytes) {
        put(flattened::encode({.offset = offset, .size = static_cast<std::int64_t>(bytes.size())}));
        text_ += bytes;
    }
    void end() { put(flattened::encode(flattened::end_mark)); }

    [[nodiscard]] std::string write(const Folder &folder) const {
        folder.write("flat", text_);
        return folder.path() / "flat";
    }

  private:
    void put(std::span<const std::byte> bytes) {
        text_.append(reinterpret_cast<const char *>(bytes.data()), bytes.size());
    }
    std::string text_;
};

std::string content(const File &file) {
    std::string text(file.size(), '?');
    file.read(0, std::as_writable_bytes(std::span(text)));
    return text;
}

std::string bytes_of(const std::string &path) {
    std::ifstream stream(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), {}};
}

} // namespace

TEST_CASE("A flattened file reads as what it stands for: records in any order, later ones over earlier ones") {
    const Folder folder;
    Flattened flat;
    flat.record(10, "tenth and on");
    flat.record(0, "first");
    flat.record(12, "XY");
    flat.end();
    const File file(flat.write(folder));
    CHECK(file.is_flattened());
    CHECK(content(file) == std::string("first\0\0\0\0\0teXYh and on", 22));
    std::string middle(4, '?');
    file.read(11, std::as_writable_bytes(std::span(middle)));
    CHECK(middle == "eXYh");
    CHECK_THAT(failure([&] { file.read(20, std::as_writable_bytes(std::span(middle))); }),
               ContainsSubstring("2 bytes too early"));
}

TEST_CASE("A flattened file that was cut off is refused") {
    const Folder folder;
    Flattened flat;
    flat.record(0, "first");
    CHECK_THAT(failure([&] { File(flat.write(folder)); }), ContainsSubstring("truncated"));
    flat.end();
    const std::string path = flat.write(folder);
    std::filesystem::resize_file(path, std::filesystem::file_size(path) - 1);
    CHECK_THAT(failure([&] { static_cast<void>(File(path)); }), ContainsSubstring("truncated"));
}

TEST_CASE("A record that can't be is refused") {
    const Folder folder;
    Flattened flat;
    SECTION("before the file's start") {
        flat.record(-5, "x");
    }
    SECTION("at a place that no dump of an x86-64 machine has") {
        flat.record(std::int64_t{1} << 60, "x");
    }
    SECTION("at the last place of all") {
        flat.record(INT64_MAX, "x");
    }
    flat.end();
    CHECK_THAT(failure([&] { File(flat.write(folder)); }), ContainsSubstring("damaged: a record of 1 bytes"));
}

TEST_CASE("A flattened core and a flattened dump are cores as any other") {
    const DumpMachine machine;
    const Folder folder;
    const std::string dump = folder.path() / "dump";
    make_dump(machine, {.paths = {dump}, .codec = Codec::zstd, .dump_level = 1});
    for (const std::string &path : {machine.core_path(), dump}) {
        Flattened flat;
        const std::string whole = bytes_of(path);
        constexpr std::size_t step = 100'000; // no multiple of a page
        for (std::size_t at = whole.size() / step * step;; at -= step) {
            flat.record(static_cast<std::int64_t>(at), whole.substr(at, step));
            if (at == 0) {
                break;
            }
        }
        flat.end();
        const Core core = Core::open(flat.write(folder));
        PageReader reader = core.reader();
        CHECK(std::ranges::all_of(machine.dumped_pfns(),
                                  [&](Pfn pfn) { return std::ranges::equal(reader.page(pfn), machine.page(pfn)); }));
    }
}
