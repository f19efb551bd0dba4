// SPDX-License-Identifier: GPL-2.0
#pragma once

#include <string>

#include "control/error.hpp"

namespace ballast::control {

/** What is known about a load that the kernel refused. */
struct LoadFailure {
    /** From init_module(2). */
    int error_number = 0;
    std::string module;
    /** What the module says of the kernel it was built for: release first, then flags; empty: unknown. */
    std::string vermagic;
    /** Of the running kernel, from uname(2). */
    std::string release;
    /** Were parameters given? */
    bool with_parameters = false;
    /** May this process load modules at all (CAP_SYS_MODULE)? */
    bool privileged = true;
    /** Were modules turned off for good (/proc/sys/kernel/modules_disabled)? */
    bool modules_disabled = false;
    /** Is the kernel locked down (/sys/kernel/security/lockdown)? */
    bool locked_down = false;
};

/** The error for a load that the kernel refused: says why, and what to do. */
Error explain(const LoadFailure &failure);

} // namespace ballast::control
