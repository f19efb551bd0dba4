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

/** Filtering is right or wrong by what a program knows of the kernel. Is this one no later than major.minor? */
inline bool kernel_is_up_to(unsigned major, unsigned minor) {
    unsigned this_major = 0;
    unsigned this_minor = 0;
    REQUIRE(std::sscanf(BALLAST_KERNEL_RELEASE, "%u.%u", &this_major, &this_minor) == 2);
    return this_major < major || (this_major == major && this_minor <= minor);
}

/** Later ones than these are not known to Debian 12's makedumpfile. */
inline bool makedumpfile_knows_kernel() {
    return kernel_is_up_to(6, 1);
}

/** Are the types of per-CPU variables in BTF? Of Debian's 5.10 only the debug information has them. */
inline bool btf_has_variables() {
    return !kernel_is_up_to(5, 10);
}

/** Skips the test on kernels that the program doesn't know. */
inline void skip_after(unsigned major, unsigned minor, const std::string &program) {
    if (!kernel_is_up_to(major, minor)) {
        SKIP(program << " does not know kernels after " << major << "." << minor
                     << ", and this is " BALLAST_KERNEL_RELEASE);
    }
}

inline void skip_unless_makedumpfile_knows_kernel() {
    skip_after(6, 1, "makedumpfile 1.7.2");
}

/** The newest makedumpfile, judged by the kernel's own flags, drops pages of 7.3 that are needed. */
inline void skip_unless_newest_makedumpfile_knows_kernel() {
    skip_after(6, 12, "makedumpfile 1.7.8");
}

} // namespace ballast::peers
