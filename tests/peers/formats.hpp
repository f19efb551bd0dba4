// SPDX-License-Identifier: GPL-2.0
#pragma once

#include "dump_file.hpp"
#include "real_core.hpp"
#include "support/folder.hpp"
#include "support/process.hpp"

#include <catch2/catch_test_macros.hpp>
#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace ballast::peers {

/** What a file of pmakedumpfile's is like, for readers that don't read all of them. */
enum class Shape { one_file, flattened, split, incomplete };

/** A format that pmakedumpfile writes, by the options that make it. */
struct Format {
    std::string options;
    Shape shape = Shape::one_file;
};

/** All of them. */
inline std::vector<Format> formats() {
    return {{"-d 31"},
            {"-c -d 31"},
            {"-l -d 31"},
            {"-p -d 31"},
            {"-z -d 31"},
            {"-l -d 31 --dedup"},
            {"-E -d 31"},
            {"-F -l -d 31", Shape::flattened},
            {"-F -E -d 31", Shape::flattened},
            {"--split -c -d 31", Shape::split},
            {"-z -d 1", Shape::incomplete}};
}

/**
 * The size of a file with room for all pages of `small`, a dump of level 31, for the descriptors of all pages that are
 * present, and for few more pages.
 */
inline std::uint64_t room_for_most_useful(const std::string &small) {
    constexpr std::uint64_t descriptor_size = 24;
    const DumpFile useful(small);
    return useful.bytes() + useful.present_count() * descriptor_size + (1U << 20U);
}

/** Writes a core's dump and returns its files, those of a split one in another order than they were written. */
inline std::vector<std::string> write_dump(const Format &format, const std::string &core, const Folder &folder) {
    const auto path = [&](const char *name) { return (folder.path() / name).native(); };
    const auto shell = [&](const std::string &arguments) {
        const std::string command = "'" BALLAST_PMAKEDUMPFILE "' -f " + format.options + ' ' + arguments;
        return test::run({"sh", "-c", command, core, path("a"), path("b"), path("c")}, std::chrono::minutes(5));
    };
    if (format.shape == Shape::incomplete) {
        require_success({BALLAST_PMAKEDUMPFILE, "-f", "-z", "-d", "31", core, path("b")});
        const std::string room = std::to_string(room_for_most_useful(path("b")));
        REQUIRE(shell("-L " + room + R"( "$0" "$1")").status == 1);
        return {path("a")};
    }
    const bool is_split = format.shape == Shape::split;
    const test::Outcome outcome = shell(is_split                           ? R"("$0" "$1" "$2" "$3")"
                                        : format.shape == Shape::flattened ? R"("$0" > "$1")"
                                                                           : R"("$0" "$1")");
    INFO(outcome.errors);
    REQUIRE(outcome.status == 0);
    return is_split ? std::vector{path("b"), path("c"), path("a")} : std::vector{path("a")};
}

} // namespace ballast::peers
