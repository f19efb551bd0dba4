// SPDX-License-Identifier: GPL-2.0
// A session of crash over a dump of each format says what it says over the core.
#include "debug_info.hpp"
#include "formats.hpp"
#include "newest.hpp"
#include "real_core.hpp"
#include "support/folder.hpp"
#include "support/process.hpp"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <fmt/format.h>
#include <sstream>

using namespace ballast::peers;
using ballast::test::Outcome;
using ballast::test::run;

namespace {

using namespace std::chrono_literals;

/**
 * Of a session what doesn't speak of the files: their names stand before CPUS, and so does, when it begins, a warning
 * that a dump is incomplete. Another one is of a CPU that left no registers, which crash looks for in kdump-compressed
 * dumps only, makedumpfile's too.
 */
std::vector<std::string> about_the_kernel(const std::string &session) {
    std::istringstream stream(session);
    std::vector<std::string> lines;
    bool files = true;
    for (std::string line; std::getline(stream, line);) {
        const bool cpus = line.find(" CPUS: ") != std::string::npos;
        files = !cpus && (files || line.find(" DUMPFILE") != std::string::npos);
        if (!files && line.find("invalid NT_PRSTATUS note") == std::string::npos) {
            lines.push_back(line);
        }
    }
    return lines;
}

/** The first few lines that differ. */
std::string differences(const std::vector<std::string> &first, const std::vector<std::string> &second) {
    constexpr std::size_t most = 10;
    std::string text = fmt::format("{} and {} lines\n", first.size(), second.size());
    std::size_t told = 0;
    for (std::size_t n = 0; n < std::min(first.size(), second.size()) && told < most; n++) {
        if (first[n] != second[n]) {
            text += fmt::format("- {}\n+ {}\n", first[n], second[n]);
            told++;
        }
    }
    return text;
}

} // namespace

TEST_CASE("A session of crash over a dump of each format says what it says over the core") {
    skip_after(6, 12, "crash 9.0.2"); // opens no core of 7.3
    const std::string vmlinux = require_vmlinux();
    const std::string crash = newest("crash");
    const std::string core = core_of("5_levels");
    const Folder folder;
    folder.write("commands", "sys\nps\nkmem -i\nkmem -s\nlog\nbt -a\nmod\nforeach bt\nquit\n");
    const auto path = [&](const std::string &name) { return (folder.path() / name).native(); };
    const auto session = [&](const std::vector<std::string> &files) {
        std::vector<std::string> command{crash, "-s", "-i", path("commands"), vmlinux};
        command.insert(command.end(), files.begin(), files.end());
        const Outcome outcome = run(command, 300s);
        INFO(describe(command, outcome));
        REQUIRE(outcome.status == 0);
        return about_the_kernel(outcome.output);
    };
    const std::vector<std::string> expected = session({core});
    // All of it was said: a task, a module, a stack, the log's last lines.
    for (const std::string_view words : {"[kswapd0]", "9pnet_virtio", "sysrq_handle_crash", "Trigger a crash"}) {
        CAPTURE(words);
        CHECK(std::ranges::any_of(expected, [&](const auto &line) { return line.find(words) != std::string::npos; }));
    }
    for (const Format &format : formats()) {
        CAPTURE(format.options);
        const std::vector<std::string> said = session(write_dump(format, core, folder));
        INFO("over the core, over the dump: " << differences(expected, said));
        CHECK(said == expected);
    }
}
