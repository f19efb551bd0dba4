// SPDX-License-Identifier: GPL-2.0
#include "control/virtio_balloon.hpp"

#include <algorithm>

#include "control/file.hpp"

namespace ballast::control {
namespace {

bool is_balloon(const std::filesystem::path &device) {
    constexpr std::string_view device_id = "0x0005\n";
    std::error_code none;
    return std::filesystem::exists(device / "device", none) && read_text(device / "device") == device_id;
}

} // namespace

std::vector<VirtioBalloon> find_virtio_balloons(const std::filesystem::path &sysfs) {
    std::vector<VirtioBalloon> found;
    std::error_code none;
    for (const auto &device : std::filesystem::directory_iterator(sysfs / "bus/virtio/devices", none)) {
        if (is_balloon(device.path())) {
            found.push_back({.name = device.path().filename(),
                             .driver = std::filesystem::read_symlink(device.path() / "driver", none).filename()});
        }
    }
    std::sort(found.begin(), found.end(), [](const auto &a, const auto &b) { return a.name < b.name; });
    return found;
}

} // namespace ballast::control
