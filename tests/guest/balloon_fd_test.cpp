// SPDX-License-Identifier: GPL-2.0
// The pseudo file system `balloon-kvm`, as a program sees it through a descriptor from /dev/balloon-kvm.
#include <cerrno>

#include <catch2/catch_test_macros.hpp>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include "balloon/balloon_kvm_ioctl.h"
#include "balloon_fixture.hpp"
#include "control/file.hpp"
#include "machine.hpp"
#include "support/failure.hpp"

using namespace ballast::guest;
using ballast::control::FileDescriptor;
using ballast::control::open_file;

namespace {

FileDescriptor open_balloon() {
    const FileDescriptor device = open_file("/dev/balloon-kvm", O_RDONLY);
    FileDescriptor balloon(ioctl(device.get(), BALLOON_KVM_GET_FD));
    REQUIRE(balloon.get() >= 0);
    return balloon;
}

struct stat status_of(const FileDescriptor &file) {
    struct stat status {};
    REQUIRE(fstat(file.get(), &status) == 0);
    return status;
}

std::string path_of(const FileDescriptor &file) {
    return "/proc/self/fd/" + std::to_string(file.get());
}

} // namespace

TEST_CASE("the file system has its magic number") {
    const LoadedBalloon module;
    const FileDescriptor balloon = open_balloon();
    struct statfs status {};
    REQUIRE(fstatfs(balloon.get(), &status) == 0);
    CHECK(status.f_type == 0x13661366);
}

TEST_CASE("the descriptor's name is balloon-kvm:[inode number]") {
    const LoadedBalloon module;
    const FileDescriptor balloon = open_balloon();
    CHECK(std::filesystem::read_symlink(path_of(balloon)) ==
          "balloon-kvm:[" + std::to_string(status_of(balloon).st_ino) + "]");
}

TEST_CASE("all descriptors of a balloon are on its one inode") {
    const LoadedBalloon module;
    const FileDescriptor one = open_balloon();
    const FileDescriptor other = open_balloon();
    CHECK(one.get() != other.get());
    CHECK(status_of(one).st_ino == status_of(other).st_ino);
    CHECK(status_of(one).st_dev == status_of(other).st_dev);
}

TEST_CASE("the descriptor is not inherited by programs that are executed") {
    const LoadedBalloon module;
    const FileDescriptor balloon = open_balloon();
    CHECK((fcntl(balloon.get(), F_GETFD) & FD_CLOEXEC) != 0);
}

TEST_CASE("the descriptor can't be read, written or opened again") {
    const LoadedBalloon module;
    const FileDescriptor balloon = open_balloon();
    char byte = 0;
    CHECK(read(balloon.get(), &byte, 1) == -1);
    CHECK(write(balloon.get(), &byte, 1) == -1);
    CHECK(open(path_of(balloon).c_str(), O_RDONLY) == -1);
    CHECK(errno == ENXIO);
}

TEST_CASE("users can't mount the file system") {
    const LoadedBalloon module;
    CHECK(holds_line_with("/proc/filesystems", "nodev\tballoon-kvm"));
    CHECK(mount("none", "/tmp", "balloon-kvm", 0, nullptr) == -1);
    CHECK(errno == EINVAL);
}

TEST_CASE("the device refuses other requests") {
    const LoadedBalloon module;
    const FileDescriptor device = open_file("/dev/balloon-kvm", O_RDONLY);
    CHECK(ioctl(device.get(), _IO(0xBA, 0x7f)) == -1);
    CHECK(errno == ENOTTY);
}

TEST_CASE("the module can't be unloaded while a descriptor is open") {
    LoadedBalloon module;
    {
        const FileDescriptor balloon = open_balloon();
        failure(std::errc::device_or_resource_busy, [&] { module.unload(); });
        CHECK(fcntl(balloon.get(), F_GETFD) != -1);
    }
    CHECK_NOTHROW(module.unload());
}

TEST_CASE("the module can't be unloaded while its device is open") {
    LoadedBalloon module;
    {
        const FileDescriptor device = open_file("/dev/balloon-kvm", O_RDONLY);
        failure(std::errc::device_or_resource_busy, [&] { module.unload(); });
    }
    CHECK_NOTHROW(module.unload());
}

TEST_CASE("a process out of descriptors gets an error and leaves nothing behind") {
    LoadedBalloon module;
    {
        const FileDescriptor device = open_file("/dev/balloon-kvm", O_RDONLY);
        std::vector<FileDescriptor> all;
        int fd = 0;
        while ((fd = ioctl(device.get(), BALLOON_KVM_GET_FD)) >= 0) {
            all.emplace_back(fd);
        }
        CHECK(errno == EMFILE);
        CHECK(all.size() > 100);
    }
    CHECK_NOTHROW(module.unload());
}
