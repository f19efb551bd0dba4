// SPDX-License-Identifier: GPL-2.0
#pragma once

#include "dump/input/error.hpp"

#include <catch2/catch_test_macros.hpp>
#include <string>

/** The message of the Error that an action must throw, which is one line. */
template<typename Action>
std::string failure(const Action &action) {
    try {
        action();
    } catch (const ballast::dump::Error &error) {
        CHECK(std::string(error.what()).find('\n') == std::string::npos);
        return error.what();
    }
    FAIL("nothing was thrown");
    return {};
}
