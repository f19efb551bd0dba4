// SPDX-License-Identifier: GPL-2.0
#pragma once

#include <string>
#include <system_error>

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include "control/error.hpp"

/** The error that an action must throw: its code is compared, its message returned, and required to be one line. */
template<typename Action>
std::string failure(std::errc code, const Action &action) {
    try {
        action();
    } catch (const ballast::control::Error &error) {
        std::string message = error.what();
        CHECK(error.code() == code);
        CHECK_THAT(message, !Catch::Matchers::ContainsSubstring("\n"));
        return message;
    }
    FAIL("nothing was thrown");
    return {};
}
