// SPDX-License-Identifier: GPL-2.0
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace ballast::control {

/** A memory balloon device of the host (virtio specification, 5.5), whichever driver serves it. */
struct VirtioBalloon {
    /** As sysfs names it: virtio3. */
    std::string name;
    /** The driver's module; empty: no driver has it. */
    std::string driver;
};

/** All balloon devices of this machine, by name. */
std::vector<VirtioBalloon> find_virtio_balloons(const std::filesystem::path &sysfs = "/sys");

} // namespace ballast::control
