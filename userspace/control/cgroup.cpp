// SPDX-License-Identifier: GPL-2.0
#include "control/cgroup.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <map>
#include <sstream>

#include <fmt/format.h>
#include <unistd.h>

#include "control/error.hpp"
#include "control/file.hpp"

namespace ballast::control {
namespace {

namespace fs = std::filesystem;
using std::chrono::nanoseconds;

/** mountinfo writes white space and backslashes in a path as \ and three octal digits. */
std::string unescape(const std::string &field) {
    std::string text;
    for (std::size_t i = 0; i < field.size(); i++) {
        if (field[i] == '\\' && i + 3 < field.size()) {
            text += static_cast<char>(std::stoi(field.substr(i + 1, 3), nullptr, 8));
            i += 3;
        } else {
            text += field[i];
        }
    }
    return text;
}

/** The folder of a group, existing or not. */
fs::path folder_of(const std::string &group, const fs::path &mount) {
    const fs::path asked = fs::path(group).lexically_normal();
    const fs::path inside = asked.lexically_relative(mount);
    const bool below_mount = asked.is_absolute() && !inside.empty() && *inside.begin() != "..";
    fs::path folder = mount;
    for (const fs::path &part : below_mount ? inside : asked.relative_path()) {
        if (part == "..") {
            throw Error(std::errc::invalid_argument,
                        fmt::format("'{}' is not a cgroup: it leaves {}", group, mount.native()));
        }
        if (!part.empty() && part != ".") {
            folder /= part;
        }
    }
    if (group.empty()) {
        throw Error(std::errc::invalid_argument,
                    fmt::format("a cgroup needs a name: / is the root group, {}", mount.native()));
    }
    return folder;
}

/** Of a file of lines "key value". */
std::map<std::string, std::uint64_t> read_keyed(const fs::path &path) {
    std::istringstream lines(read_text(path));
    std::map<std::string, std::uint64_t> values;
    std::string key;
    std::string value;
    while (lines >> key >> value) {
        values[key] = parse_number(value, path.native());
    }
    return values;
}

std::uint64_t value_of(const std::map<std::string, std::uint64_t> &values, const std::string &key,
                       const fs::path &path) {
    const auto found = values.find(key);
    if (found == values.end()) {
        throw Error(std::errc::invalid_argument, fmt::format("{} has no line '{}'", path.native(), key));
    }
    return found->second;
}

/** What to do about a failed change of a group. */
std::string advice(std::errc code) {
    switch (code) {
    case std::errc::permission_denied:
    case std::errc::operation_not_permitted:
        return "no permission: run it as root";
    case std::errc::device_or_resource_busy:
        return "it still has processes in it or groups below it: move or end them first";
    case std::errc::no_such_file_or_directory:
        return "there is no such group as its parent: create that first";
    default:
        return describe(code);
    }
}

[[noreturn]] void fail(std::string_view action, const fs::path &path, std::errc code) {
    throw Error(code, fmt::format("cannot {} cgroup {}: {}", action, path.native(), advice(code)));
}

} // namespace

fs::path find_cgroup2(const fs::path &mountinfo) {
    std::istringstream mounts(read_text(mountinfo));
    for (std::string line; std::getline(mounts, line);) {
        // After the lone dash, which optional fields precede, stands the file system's type.
        const auto dash = line.find(" - ");
        if (dash == std::string::npos || line.compare(dash + 3, 8, "cgroup2 ") != 0) {
            continue;
        }
        std::istringstream fields(line);
        std::string field;
        for (int i = 0; i < 5; i++) {
            fields >> field;
        }
        return unescape(field);
    }
    throw Error(std::errc::no_such_device,
                "no cgroup v2 hierarchy is mounted: `mount -t cgroup2 none /sys/fs/cgroup` as root");
}

Cgroup::Cgroup(fs::path mount, fs::path path) : mount_(std::move(mount)), path_(std::move(path)) {}

Cgroup Cgroup::open(const std::string &group, const fs::path &mount) {
    Cgroup opened(mount, folder_of(group, mount));
    std::error_code unseen;
    if (!fs::is_directory(opened.path_, unseen)) {
        throw Error(std::errc::no_such_file_or_directory,
                    fmt::format("no such cgroup: {} (`ls {}` shows those there are)", opened.path_.native(),
                                opened.path_.parent_path().native()));
    }
    return opened;
}

Cgroup Cgroup::create(const std::string &group, const fs::path &mount) {
    Cgroup created(mount, folder_of(group, mount));
    std::error_code error;
    if (!fs::create_directory(created.path_, error)) {
        fail("create", created.path_, error ? static_cast<std::errc>(error.value()) : std::errc::file_exists);
    }
    return created;
}

std::string Cgroup::name() const {
    const fs::path relative = path_.lexically_relative(mount_);
    return relative == "." ? "/" : "/" + relative.native();
}

void Cgroup::remove() const {
    if (rmdir(path_.c_str()) != 0) {
        const auto code = static_cast<std::errc>(errno);
        if (code == std::errc::no_such_file_or_directory) {
            throw Error(code, fmt::format("no such cgroup: {}", path_.native()));
        }
        fail("remove", path_, code);
    }
}

void Cgroup::add_process(pid_t pid) const {
    try {
        write_text(path_ / "cgroup.procs", std::to_string(pid));
    } catch (const Error &error) {
        const std::string reason =
            error.code() == std::errc::no_such_process ? "there is no such process" : advice(error.code());
        throw Error(error.code(), fmt::format("cannot move process {} to cgroup {}: {}", pid, path_.native(), reason));
    }
}

// The three ways in which a group can lack a file of ours, each with its own remedy.
fs::path Cgroup::cpuacct_file(const std::string &file) const {
    fs::path path = path_ / file;
    std::error_code unseen;
    if (fs::exists(path, unseen)) {
        return path;
    }
    std::string remedy;
    if (!fs::is_directory(path_, unseen)) {
        remedy = "the group was removed";
    } else if (!fs::exists(mount_ / file, unseen)) {
        remedy = "`ballast load cpuacct` first";
    } else {
        remedy = fmt::format("give it perf_event: `echo +pids > {}` once, as systemd does at boot",
                             (mount_ / "cgroup.subtree_control").native());
    }
    throw Error(std::errc::no_such_file_or_directory, fmt::format("no {}: {}", path.native(), remedy));
}

nanoseconds Cgroup::usage() const {
    return nanoseconds(read_number(cpuacct_file("cpuacct.usage")));
}

std::vector<nanoseconds> Cgroup::usage_percpu() const {
    const fs::path path = cpuacct_file("cpuacct.usage_percpu");
    std::istringstream numbers(read_text(path));
    std::vector<nanoseconds> usage;
    for (std::string number; numbers >> number;) {
        usage.emplace_back(parse_number(number, path.native()));
    }
    return usage;
}

CpuTimes Cgroup::stat() const {
    const fs::path path = cpuacct_file("cpuacct.stat");
    const auto values = read_keyed(path);
    const auto tick = nanoseconds(std::chrono::seconds(1)) / sysconf(_SC_CLK_TCK);
    return {.user = value_of(values, "user", path) * tick, .system = value_of(values, "system", path) * tick};
}

CpuStat Cgroup::cpu_stat() const {
    const fs::path path = path_ / "cpu.stat";
    const auto values = read_keyed(path);
    const auto time = [&](const char *key) { return std::chrono::microseconds(value_of(values, key, path)); };
    return {.usage = time("usage_usec"), .user = time("user_usec"), .system = time("system_usec")};
}

void Cgroup::reset_usage() const {
    write_text(cpuacct_file("cpuacct.usage"), "0");
}

} // namespace ballast::control
