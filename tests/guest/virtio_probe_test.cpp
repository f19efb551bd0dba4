// SPDX-License-Identifier: GPL-2.0
// A device that can't be made to work: whichever step fails, all before it is undone.
#include <cerrno>
#include <vector>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/generators/catch_generators_range.hpp>

#include "control/error.hpp"
#include "failing_call.hpp"
#include "machine.hpp"
#include "support/failure.hpp"
#include "virtio_fixture.hpp"

using namespace ballast::guest;
using ballast::control::Balloon;
using ballast::control::Error;
using ballast::control::Modules;

namespace {

/** What probe calls and may fail: its names in different kernels, and what it returns then. 0: it is a pointer. */
struct Step {
    std::string function;
    int result;
};

Step shrinker_step() {
    return holds_line_with("/proc/kallsyms", " T shrinker_alloc") ? Step{"shrinker_alloc", 0}
                                                                  : Step{"register_shrinker", -ENOMEM};
}

/** All of them. */
std::vector<Step> steps() {
    return {
        Step{"kmalloc_trace,kmem_cache_alloc_trace,__kmalloc_cache_noprof", 0},
        Step{"alloc_workqueue,alloc_workqueue_noprof", 0},
        Step{"alloc_anon_inode", -ENOMEM},
        shrinker_step(),
        Step{"balloon_host:host_find_vqs", -ENOMEM},
        Step{"virtqueue_add_outbuf", -EIO},
        Step{"register_oom_notifier", -ENOMEM},
        Step{"page_reporting_register", -ENOMEM},
        Step{"device_add_groups", -ENOMEM},
    };
}

std::uint64_t inodes() {
    return number_of("/proc/sys/fs/inode-nr", "");
}

/** How many pieces of memory, as large as what a device has or its array, the kernel has given out. */
std::uint64_t pieces() {
    std::uint64_t pieces = 0;
    for (const std::string cache : {"kmalloc-1k ", "kmalloc-2k ", "kmalloc-4k "}) {
        pieces += number_of("/proc/slabinfo", cache);
    }
    return pieces;
}

/** Has balloon_kvm take the device while a call fails; false when it took it all the same. */
bool fails_to_bind(const std::string &device, const Step &step, unsigned nth) {
    const FailingCall failing(step.function, step.result, "balloon_kvm", nth);
    try {
        bind(device);
    } catch (const Error &) {
        return true;
    }
    return false;
}

} // namespace

TEST_CASE("whichever call of a probe fails, the device is as if it had never been there") {
    const auto step = GENERATE(from_range(steps()));
    CAPTURE(step.function);
    const Host host(all_features);
    const Loaded driver("balloon_kvm");
    const auto device = Host::devices().at(0);
    unbind(device);
    const auto zones = managed_pages();
    unsigned nth = 1;
    for (; fails_to_bind(device, step, nth); ++nth) {
        CAPTURE(nth);
        CHECK(driver_of(device).empty());
        CHECK(Balloon::find_all().empty());
    }
    // The last time no call failed, so the probe worked.
    CHECK(nth > 1);
    CHECK(driver_of(device) == "balloon_kvm");
    host.resize(1000);
    host.resize(0);
    CHECK(managed_pages() == zones);
    CHECK(host.get("errors") == 0);
}

TEST_CASE("probes that fail leak neither memory nor inodes") {
    constexpr int turns = 400;
    const Host host(all_features);
    const Loaded driver("balloon_kvm");
    const auto device = Host::devices().at(0);
    unbind(device);
    // The last step of all, so that each before it is undone.
    const FailingCall failing("device_add_groups", -ENOMEM);
    const auto probe = [&](int times) {
        for (int time = 0; time < times; ++time) {
            CHECK_THROWS_AS(bind(device), Error);
        }
    };
    // What fills up at first, such as caches, is no leak.
    probe(turns / 4);
    const auto free = free_memory();
    const auto inodes_before = inodes();
    const auto pieces_before = pieces();
    probe(turns);
    CHECK(inodes() < inodes_before + turns / 2);
    // The arrays of page numbers are 32 KiB for each of two queues, the rings 80 KiB; what is freed may take a while.
    wait_until([&] {
        return free_memory() > free - turns * (std::uint64_t{24} << 10) && pieces() < pieces_before + turns / 2;
    });
}

TEST_CASE("a module whose load fails lets go of the devices that it took") {
    const Host host(all_features, 2);
    const std::string function = GENERATE("register_virtio_driver,__register_virtio_driver", "misc_register");
    CAPTURE(function);
    {
        const FailingCall failing(function, -EBUSY);
        Modules modules;
        failure(std::errc::device_or_resource_busy, [&] { modules.load("balloon_kvm"); });
    }
    for (const auto &device : Host::devices()) {
        CHECK(driver_of(device).empty());
    }
    const Loaded works("balloon_kvm");
    CHECK(driver_of(Host::devices().at(0)) == "balloon_kvm");
    CHECK(host.get("errors") == 0);
}

TEST_CASE("a module whose only device fails has the software balloon") {
    const Host host;
    const FailingCall failing("device_add_groups", -ENOMEM);
    const Loaded driver("balloon_kvm");
    CHECK(driver_of(Host::devices().at(0)).empty());
    CHECK(Balloon::find().name() == "balloon-kvm");
}
