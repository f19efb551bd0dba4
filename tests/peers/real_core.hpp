// SPDX-License-Identifier: GPL-2.0
#pragma once

#include "support/process.hpp"

#include <catch2/catch_test_macros.hpp>
#include <chrono>
#include <cstdio>
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

/** Filtering is right or wrong by what a program knows of the kernel; later ones than these are not in Debian 12's. */
inline bool makedumpfile_knows_kernel() {
    unsigned major = 0;
    unsigned minor = 0;
    REQUIRE(std::sscanf(BALLAST_KERNEL_RELEASE, "%u.%u", &major, &minor) == 2);
    return major < 6 || (major == 6 && minor <= 1);
}

inline void skip_unless_makedumpfile_knows_kernel() {
    if (!makedumpfile_knows_kernel()) {
        SKIP("makedumpfile 1.7.2 does not know kernels after 6.1, and this is " BALLAST_KERNEL_RELEASE);
    }
}

} // namespace ballast::peers
