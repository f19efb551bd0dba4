// SPDX-License-Identifier: GPL-2.0
// Dumps by the newest makedumpfile that Debian ships: Debian 12's own knows no zstd.
#include "comparison.hpp"
#include "newest.hpp"
#include "real_core.hpp"
#include "support/folder.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace ballast::peers;

namespace {

void check_equal(const std::string &first, const std::string &second) {
    const Comparison comparison = compare_dumps(first, second);
    INFO(comparison.describe());
    CHECK(comparison.pages_compared > 1000);
    CHECK(comparison.equal());
}

} // namespace

TEST_CASE("zstd dumps of the newest makedumpfile are verified, and filtered into what it filters of the core itself") {
    const std::string makedumpfile = newest("makedumpfile");
    const std::string core = core_of("5_levels");
    const Folder folder;
    const auto path = [&](const char *name) { return (folder.path() / name).native(); };
    require_success({makedumpfile, "-z", "-d", "0", core, path("all")});
    require_success({BALLAST_PMAKEDUMPFILE, "--verify", path("all")});
    skip_unless_newest_makedumpfile_knows_kernel();
    require_success({BALLAST_PMAKEDUMPFILE, "-l", "-d", "31", path("all"), path("few")});
    require_success({makedumpfile, "-l", "-d", "31", core, path("theirs")});
    check_equal(path("theirs"), path("few"));
}

TEST_CASE("The newest makedumpfile filters our zstd dump of all pages into our dump of few") {
    skip_unless_newest_makedumpfile_knows_kernel();
    const std::string makedumpfile = newest("makedumpfile");
    const std::string core = core_of("5_levels");
    const Folder folder;
    const auto path = [&](const char *name) { return (folder.path() / name).native(); };
    require_success({BALLAST_PMAKEDUMPFILE, "-z", "-d", "0", core, path("all")});
    require_success({BALLAST_PMAKEDUMPFILE, "-l", "-d", "31", core, path("few")});
    require_success({makedumpfile, "-l", "-d", "31", path("all"), path("theirs")});
    check_equal(path("theirs"), path("few"));
}
