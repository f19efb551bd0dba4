// SPDX-License-Identifier: GPL-2.0
#include "dump/output/machine.hpp"

#include "dump/input/vmcoreinfo.hpp"
#include "dump/kernel/address_space.hpp"

#include <algorithm>

namespace ballast::dump {

namespace {

/** The array of memory sections was allocated at boot, so its address is one of the direct map. */
std::optional<std::uint64_t> find_direct_map(const Core &core, const Kernel &kernel) {
    constexpr std::uint64_t alignment = std::uint64_t{1} << 30; // arch/x86/mm/kaslr.c
    const auto address = Vmcoreinfo(core.vmcoreinfo()).symbol("mem_section");
    if (!address || kernel.page_tables().root == 0) {
        return std::nullopt;
    }
    const auto place = AddressSpace(core, kernel.page_tables()).translate(*address);
    if (!place || (*address - place->physical) % alignment != 0) {
        return std::nullopt;
    }
    return *address - place->physical;
}

} // namespace

Machine machine_of(const Core &core, const Kernel &kernel) {
    return {.utsname = kernel.utsname(),
            .phys_base = kernel.phys_base(),
            .crash_seconds = kernel.crash_time().value_or(0),
            .crash_microseconds = 0,
            .cpus = std::max(core.prstatus_count(), 1U),
            .direct_map = find_direct_map(core, kernel)};
}

Machine machine_of(const DumpOrigin &origin) {
    return {.utsname = origin.header.utsname,
            .phys_base = static_cast<std::int64_t>(origin.sub_header.phys_base),
            .crash_seconds = origin.header.timestamp_seconds,
            .crash_microseconds = origin.header.timestamp_microseconds,
            .cpus = static_cast<unsigned>(std::max(origin.header.nr_cpus, 1)),
            .direct_map = std::nullopt};
}

} // namespace ballast::dump
