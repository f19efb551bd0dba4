// SPDX-License-Identifier: GPL-2.0
// Side by side with the kernel's cpuacct on cgroup v1: the same task in a group of either.
#include <chrono>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <system_error>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include "control/file.hpp"
#include "cpuacct.hpp"
#include "task.hpp"

using namespace std::chrono_literals;
using ballast::control::Cgroup;
using ballast::control::read_number;
using ballast::control::read_text;
using ballast::guest::burn;
using ballast::guest::burn_in_kernel;
using ballast::guest::LoadedCpuacct;
using ballast::guest::run_task;
using ballast::guest::settle;
using ballast::guest::Task;
using ballast::guest::TestGroup;
using ballast::guest::V1Hierarchy;

namespace {

/** A group of v1's cpuacct, gone at the end. */
class V1Group {
  public:
    explicit V1Group(const std::string &name) : group_(hierarchy_.path() / name) {
        std::filesystem::create_directory(group_);
    }
    V1Group(const V1Group &) = delete;
    V1Group(V1Group &&) = delete;
    V1Group &operator=(const V1Group &) = delete;
    V1Group &operator=(V1Group &&) = delete;
    ~V1Group() { rmdir(group_.c_str()); }

    void add_process(pid_t pid) const { ballast::control::write_text(group_ / "cgroup.procs", std::to_string(pid)); }
    [[nodiscard]] std::string read(const std::string &file) const { return read_text(group_ / file); }

  private:
    V1Hierarchy hierarchy_{"cpuacct"};
    std::filesystem::path group_;
};

/** User time, system time, sleeping and waking, children. */
void work_of_all_kinds() {
    for (int i = 0; i < 20; i++) {
        burn(10ms);
        burn_in_kernel(5ms);
        usleep(1000);
        const pid_t child = fork();
        if (child == 0) {
            burn(3ms);
            _exit(0);
        }
        waitpid(child, nullptr, 0);
    }
}

void make_realtime(const Task &task) {
    const sched_param parameters{.sched_priority = 1};
    if (sched_setscheduler(task.pid(), SCHED_FIFO, &parameters) != 0) {
        throw std::system_error(errno, std::generic_category(), "sched_setscheduler");
    }
}

} // namespace

TEST_CASE("Every file is byte for byte what v1 shows for the same task") {
    const LoadedCpuacct module;
    const TestGroup group("same");
    const V1Group v1("same");
    const bool realtime = GENERATE(false, true);
    INFO("realtime: " << realtime);
    run_task(work_of_all_kinds, [&](const Task &task) {
        if (realtime) {
            make_realtime(task);
        }
        group->add_process(task.pid());
        v1.add_process(task.pid());
    });
    settle(*group);
    REQUIRE(group->usage() > 300ms);
    CHECK(group.read("cpuacct.usage") == v1.read("cpuacct.usage"));
    CHECK(group.read("cpuacct.usage_percpu") == v1.read("cpuacct.usage_percpu"));
    CHECK(group.read("cpuacct.stat") == v1.read("cpuacct.stat"));
}

TEST_CASE("The root group's usage is v1's") {
    const LoadedCpuacct module;
    const V1Hierarchy v1("cpuacct");
    const Cgroup root = Cgroup::open("/");
    const auto before = read_number(v1.path() / "cpuacct.usage");
    const auto usage = static_cast<std::uint64_t>(root.usage().count());
    CHECK(usage >= before);
    CHECK(usage <= read_number(v1.path() / "cpuacct.usage"));
}
