// SPDX-License-Identifier: GPL-2.0
#pragma once

#include "support/process.hpp"

#include <catch2/catch_test_macros.hpp>
#include <chrono>
#include <string>
#include <vector>

namespace ballast::peers {

/** The core that the test run made of a guest with so many paging levels: "4_levels" or "5_levels". */
inline std::string core_of(const std::string &levels) {
    return BALLAST_CORES "-" + levels + ".core";
}

/** Runs a program of makedumpfile's kind, which must succeed. An empty argument is left out. */
inline void require_success(std::vector<std::string> command) {
    std::erase(command, "");
    const test::Outcome outcome = test::run(command, std::chrono::minutes(5));
    INFO(describe(command, outcome));
    REQUIRE(outcome.status == 0);
}

} // namespace ballast::peers
