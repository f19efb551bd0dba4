// SPDX-License-Identifier: GPL-2.0
#include "dump/cli/report.hpp"

#include <catch2/catch_test_macros.hpp>
#include <nlohmann/json.hpp>

using ballast::dump::DumpStats;
using ballast::dump::stats_json;

TEST_CASE("Broken pages that are seen as another class's count once they are left out as broken") {
    DumpStats stats;
    stats.seen.hwpoison = 6;
    stats.counts.excluded.hwpoison = 8;
    const auto broken = nlohmann::json::parse(stats_json(stats))["classes"]["hwpoison"];
    CHECK(broken["seen"] == 8);
    CHECK(broken["kept"] == 0);
}
