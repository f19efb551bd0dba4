// SPDX-License-Identifier: GPL-2.0
#pragma once

#include <string>

#include "loaded.hpp"

namespace ballast::guest {

/** Makes a kernel function return something else when this process calls it, with the test module fail_call. */
class FailingCall : Loaded {
  public:
    FailingCall(const std::string &function, int result)
        : Loaded("fail_call", {"function=" + function, "result=" + std::to_string(result)}) {}
};

} // namespace ballast::guest
