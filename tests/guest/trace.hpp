// SPDX-License-Identifier: GPL-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace ballast::guest {

/** The balloon's tracepoints, switched on and read in a trace instance of their own. */
class Trace {
  public:
    Trace();
    Trace(const Trace &) = delete;
    Trace(Trace &&) = delete;
    Trace &operator=(const Trace &) = delete;
    Trace &operator=(Trace &&) = delete;
    ~Trace();

    /** What the events of that name told: the values of NAME=VALUE pairs, hexadecimal where they begin with 0x. */
    [[nodiscard]] std::vector<std::vector<std::uint64_t>> events(const std::string &name) const;

  private:
    std::filesystem::path folder_ = "/sys/kernel/tracing/instances/balloon_test";
};

} // namespace ballast::guest
