// SPDX-License-Identifier: GPL-2.0
// Several devices, and which balloon is whose.
#include <algorithm>
#include <cerrno>
#include <cstring>

#include <catch2/catch_test_macros.hpp>
#include <fcntl.h>
#include <sys/ioctl.h>

#include "balloon/balloon_kvm_ioctl.h"
#include "control/file.hpp"
#include "machine.hpp"
#include "virtio_fixture.hpp"

using namespace ballast::guest;
using ballast::control::Balloon;
using ballast::control::FileDescriptor;
using ballast::control::open_file;

namespace {

constexpr std::uint64_t pages_of_64_mib = (std::uint64_t{64} << 20) / 4096;

int open_by_name(const FileDescriptor &device, const std::string &name) {
    balloon_kvm_name argument{};
    std::memcpy(argument.device, name.data(), std::min(name.size(), sizeof(argument.device)));
    return ioctl(device.get(), BALLOON_KVM_GET_FD_OF, &argument);
}

/** The inode of a balloon's descriptor, as /proc names it. */
std::string inode_of(int fd) {
    REQUIRE(fd >= 0);
    const FileDescriptor owned(fd);
    return std::filesystem::read_symlink("/proc/self/fd/" + std::to_string(fd));
}

} // namespace

TEST_CASE("several devices have a balloon each") {
    constexpr unsigned count = 3;
    const Host host(statistics_queue, count);
    const Loaded driver("balloon_kvm");
    const auto devices = Host::devices();
    REQUIRE(devices.size() == count);
    host.resize(pages_of_64_mib);
    for (const auto &device : devices) {
        CHECK(Balloon::find(device).status().size_pages == pages_of_64_mib);
    }
    unbind(devices[0]);
    CHECK(host.actual() == std::vector<std::uint64_t>{0, pages_of_64_mib, pages_of_64_mib});
    bind(devices[0]);
    host.resize(pages_of_64_mib);
    CHECK(host.get("errors") == 0);
}

TEST_CASE("one of several devices gets the reports of free pages, and another one when it goes") {
    const Host host(reporting, 2);
    const Loaded driver("balloon_kvm");
    // What is free and was reported, be it to another device, is not reported again until it was used.
    const auto more_than = [&](std::uint64_t before) {
        REQUIRE(allocate_in_process(std::uint64_t{64} << 20));
        return host.get("reported") > before;
    };
    wait_until([&] { return more_than(0); });
    const auto devices = Host::devices();
    // The second one is bound again to a place that is free.
    unbind(devices[0]);
    unbind(devices[1]);
    const auto before = host.get("reported");
    bind(devices[1]);
    wait_until([&] { return more_than(before); });
}

TEST_CASE("the software balloon is there for want of a device") {
    {
        const Loaded driver("balloon_kvm");
        const Host later;
        CHECK(Balloon::find_all().size() == 2);
    }
    const Host host;
    const Loaded driver("balloon_kvm");
    CHECK(Balloon::find_all().size() == 1);
    CHECK(Balloon::find().name() == Host::devices().at(0));
}

TEST_CASE("/dev/balloon-kvm hands out the balloon that is asked for, or the oldest") {
    const Host host(0, 2);
    const Loaded driver("balloon_kvm");
    const FileDescriptor device = open_file("/dev/balloon-kvm", O_RDONLY);
    const auto first = inode_of(open_by_name(device, Host::devices().at(0)));
    const auto second = inode_of(open_by_name(device, Host::devices().at(1)));
    CHECK(first != second);
    CHECK(inode_of(ioctl(device.get(), BALLOON_KVM_GET_FD)) == first);
    CHECK(open_by_name(device, "virtio999") == -1);
    CHECK(errno == ENODEV);
    CHECK(open_by_name(device, std::string(32, 'x')) == -1);
    CHECK(errno == EINVAL);
    unbind(Host::devices().at(0));
    CHECK(inode_of(ioctl(device.get(), BALLOON_KVM_GET_FD)) == second);
    unbind(Host::devices().at(1));
    CHECK(ioctl(device.get(), BALLOON_KVM_GET_FD) == -1);
    CHECK(errno == ENODEV);
}
