// SPDX-License-Identifier: GPL-2.0
#include "virtio_fixture.hpp"

#include <algorithm>
#include <sstream>
#include <utility>

#include "control/file.hpp"
#include "machine.hpp"

namespace ballast::guest {

namespace fs = std::filesystem;
using control::read_number;
using control::read_text;
using control::write_text;

namespace {

const fs::path driver_folder = "/sys/bus/virtio/drivers/balloon_kvm";

} // namespace

Host::Host(unsigned features, unsigned devices)
    : module_("balloon_host", {"features=" + std::to_string(features), "devices=" + std::to_string(devices)}) {}

void Host::set(const std::string &parameter, std::uint64_t value) const {
    write_text(parameters_ / parameter, std::to_string(value));
}

std::uint64_t Host::get(const std::string &parameter) const {
    return read_number(parameters_ / parameter);
}

std::vector<std::uint64_t> Host::actual() const {
    std::istringstream lines(read_text(parameters_ / "target"));
    std::vector<std::uint64_t> sizes;
    for (std::uint64_t size = 0; lines >> size;) {
        sizes.push_back(size);
    }
    return sizes;
}

void Host::resize(std::uint64_t pages) const {
    set_target(pages);
    wait_until([&] {
        const auto sizes = actual();
        return std::all_of(sizes.begin(), sizes.end(), [&](auto size) { return size == pages; });
    });
}

std::vector<std::string> Host::devices() {
    std::vector<std::string> names;
    for (const auto &entry : fs::directory_iterator("/sys/devices/balloon_host")) {
        if (entry.path().filename().string().starts_with("virtio")) {
            names.push_back(entry.path().filename());
        }
    }
    // By number: virtio10 comes after virtio9.
    std::sort(names.begin(), names.end(), [](const std::string &one, const std::string &other) {
        return std::pair(one.size(), one) < std::pair(other.size(), other);
    });
    return names;
}

control::Balloon virtio_balloon() {
    return control::Balloon::find(Host::devices().at(0));
}

std::string driver_of(const std::string &device) {
    const auto link = fs::path("/sys/bus/virtio/devices") / device / "driver";
    return fs::exists(link) ? fs::read_symlink(link).filename().string() : "";
}

void bind(const std::string &device) {
    write_text(driver_folder / "bind", device);
}

void unbind(const std::string &device) {
    write_text(driver_folder / "unbind", device);
}

} // namespace ballast::guest
