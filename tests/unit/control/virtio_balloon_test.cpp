// SPDX-License-Identifier: GPL-2.0
#include "control/virtio_balloon.hpp"

#include <catch2/catch_test_macros.hpp>

#include "support/folder.hpp"

using ballast::control::find_virtio_balloons;

TEST_CASE("of all virtio devices only balloons are found, each with its driver", "[virtio_balloon]") {
    const Folder sysfs;
    const std::filesystem::path devices = "bus/virtio/devices";
    sysfs.write(devices / "virtio0/device", "0x0009\n");
    sysfs.write(devices / "virtio2/device", "0x0005\n");
    sysfs.write(devices / "virtio1/device", "0x0005\n");
    std::filesystem::create_symlink("../../drivers/virtio_balloon", sysfs.path() / devices / "virtio2/driver");
    const auto found = find_virtio_balloons(sysfs.path());
    REQUIRE(found.size() == 2);
    CHECK(found.at(0).name == "virtio1");
    CHECK(found.at(0).driver.empty());
    CHECK(found.at(1).name == "virtio2");
    CHECK(found.at(1).driver == "virtio_balloon");
}

TEST_CASE("a machine without virtio has no virtio balloons", "[virtio_balloon]") {
    CHECK(find_virtio_balloons(Folder().path()).empty());
}
