// SPDX-License-Identifier: GPL-2.0
#pragma once

#include "dump/input/core.hpp"
#include "dump/kernel/kernel.hpp"

#include <cstdint>
#include <optional>

namespace ballast::dump {

/** What a dump's headers tell of the machine. */
struct Machine {
    Utsname utsname{};
    std::int64_t phys_base = 0;
    std::int64_t crash_seconds = 0; // since 1970; 0: not told
    std::int64_t crash_microseconds = 0;
    unsigned cpus = 1;
    std::optional<std::uint64_t> direct_map; // virtual address of physical address 0
};

/** As the core and its kernel tell. */
Machine machine_of(const Core &core, const Kernel &kernel);

/** As a dump that is there tells. */
Machine machine_of(const DumpOrigin &origin);

} // namespace ballast::dump
