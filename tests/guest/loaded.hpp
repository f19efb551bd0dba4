// SPDX-License-Identifier: GPL-2.0
#pragma once

#include <string>
#include <utility>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "control/error.hpp"
#include "control/modules.hpp"

namespace ballast::guest {

/** A module that is loaded for one test, and unloaded after it unless the test did that. */
class Loaded {
  public:
    explicit Loaded(std::string name, const std::vector<std::string> &parameters = {}) : name_(std::move(name)) {
        modules_.load(name_, parameters);
    }
    Loaded(const Loaded &) = delete;
    Loaded &operator=(const Loaded &) = delete;
    Loaded(Loaded &&) = delete;
    Loaded &operator=(Loaded &&) = delete;
    ~Loaded() {
        try {
            if (modules_.is_loaded(name_)) {
                unload();
            }
        } catch (const control::Error &error) {
            FAIL_CHECK(error.what());
        }
    }

    void unload() { modules_.unload(name_); }

  private:
    std::string name_;
    control::Modules modules_;
};

} // namespace ballast::guest
