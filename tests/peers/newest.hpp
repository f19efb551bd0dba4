// SPDX-License-Identifier: GPL-2.0
#pragma once

#include "support/process.hpp"

#include <catch2/catch_test_macros.hpp>
#include <chrono>
#include <string>

namespace ballast::peers {

/** The path of the newest makedumpfile or crash that Debian ships; skips the test where it can't be had. */
inline std::string newest(const std::string &program) {
    const test::Outcome fetched = test::run({BALLAST_NEWEST, program}, std::chrono::minutes(5));
    if (fetched.status != 0) {
        SKIP("Debian's newest " << program << " can't be fetched: " << fetched.errors);
    }
    return fetched.output.substr(0, fetched.output.find('\n'));
}

} // namespace ballast::peers
