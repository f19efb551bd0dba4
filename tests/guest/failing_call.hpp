// SPDX-License-Identifier: GPL-2.0
#pragma once

#include <string>
#include <vector>

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
    /** `function`: several names with commas are those that it has in different kernels. */
    FailingCall(const std::string &function, int result, const std::vector<std::string> &more_parameters = {}) {
        std::vector<std::string> parameters{"function=" + function, "result=" + std::to_string(result)};
        parameters.insert(parameters.end(), more_parameters.begin(), more_parameters.end());
        modules_.load("fail_call", parameters);
    }

    /** Only the `nth` call by that module's code fails, from 1 on. */
    FailingCall(const std::string &function, int result, const std::string &caller, unsigned nth)
        : FailingCall(function, result, {"caller=" + caller, "nth=" + std::to_string(nth)}) {}

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
