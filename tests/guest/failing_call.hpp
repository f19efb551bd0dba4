// SPDX-License-Identifier: GPL-2.0
#pragma once

#include <string>

#include <catch2/catch_test_macros.hpp>

#include "control/error.hpp"
#include "control/modules.hpp"

namespace ballast::guest {

/**
 * Makes a kernel function return something else when this process calls it, with the test module fail_call. The
 * function may be one that opening a file needs, so nothing is looked up before the module goes.
 */
class FailingCall {
  public:
    FailingCall(const std::string &function, int result) {
        modules_.load("fail_call", {"function=" + function, "result=" + std::to_string(result)});
    }
    FailingCall(const FailingCall &) = delete;
    FailingCall(FailingCall &&) = delete;
    FailingCall &operator=(const FailingCall &) = delete;
    FailingCall &operator=(FailingCall &&) = delete;
    ~FailingCall() {
        try {
            modules_.unload("fail_call");
        } catch (const control::Error &error) {
            FAIL_CHECK(error.what());
        }
    }

  private:
    control::Modules modules_;
};

} // namespace ballast::guest
