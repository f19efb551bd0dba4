// SPDX-License-Identifier: GPL-2.0
// drgn finds in a dump of each format that it reads what it finds in the core.
#include "debug_info.hpp"
#include "formats.hpp"
#include "real_core.hpp"
#include "support/folder.hpp"
#include "support/process.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace ballast::peers;
using ballast::test::Outcome;
using ballast::test::run;

namespace {

using namespace std::chrono_literals;

std::string drgn_session(const std::string &dump, const std::string &vmlinux) {
    const std::vector<std::string> command{BALLAST_DRGN_SESSION, dump, vmlinux};
    const Outcome outcome = run(command, 300s);
    INFO(describe(command, outcome));
    REQUIRE(outcome.status == 0);
    return outcome.output;
}

} // namespace

TEST_CASE("drgn finds in a dump of each format that it reads what it finds in the core") {
    skip_after(6, 1, "drgn 0.0.22"); // neither their mounts nor their stacks
    const std::string vmlinux = require_vmlinux();
    const Folder folder;
    const std::string expected = drgn_session(core_of("5_levels"), vmlinux);
    for (const std::string_view words : {BALLAST_KERNEL_RELEASE, "kswapd0", "9pnet_virtio", "sysrq_handle_crash"}) {
        CAPTURE(words, expected);
        CHECK(expected.find(words) != std::string::npos);
    }
    for (const Format &format : formats()) {
        // drgn reads neither flattened files nor several.
        if (format.shape == Shape::flattened || format.shape == Shape::split) {
            continue;
        }
        CAPTURE(format.options);
        CHECK(drgn_session(write_dump(format, core_of("5_levels"), folder).front(), vmlinux) == expected);
    }
}
