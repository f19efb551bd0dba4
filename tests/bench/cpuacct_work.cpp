// SPDX-License-Identifier: GPL-2.0
// What the guest of tests/bench/cpuacct counts the instructions of, on its one CPU, where 1 ns is 1 instruction:
//
//   cpuacct_work ping-pong COUNT     a byte to another process and back, through two pipes
//   cpuacct_work read COUNT FILE     a pread of a file
//
// Prints the mean of COUNT of them.
#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstdlib>
#include <functional>
#include <span>
#include <string_view>
#include <system_error>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include "control/file.hpp"

namespace {

using ballast::control::FileDescriptor;
using ballast::control::open_file;

[[noreturn]] void fail(const char *call) {
    throw std::system_error(errno, std::generic_category(), call);
}

double mean_ns(unsigned count, const std::function<void()> &work) {
    const auto begin = std::chrono::steady_clock::now();
    for (unsigned i = 0; i < count; ++i) {
        work();
    }
    const std::chrono::duration<double, std::nano> all = std::chrono::steady_clock::now() - begin;
    return all.count() / count;
}

struct Pipe {
    Pipe() : out(-1), in(-1) {
        std::array<int, 2> ends{};
        if (pipe2(ends.data(), O_CLOEXEC) != 0) {
            fail("pipe2");
        }
        out = FileDescriptor(ends[0]);
        in = FileDescriptor(ends[1]);
    }

    FileDescriptor out;
    FileDescriptor in;
};

void pass_on(const FileDescriptor &out, const FileDescriptor &in) {
    char byte = 0;
    if (read(out.get(), &byte, 1) != 1 || write(in.get(), &byte, 1) != 1) {
        fail("the other end");
    }
}

double ping_pong(unsigned count) {
    constexpr unsigned warm_up = 200;
    Pipe there;
    Pipe back;
    const pid_t child = fork();
    if (child < 0) {
        fail("fork");
    }
    if (child == 0) {
        for (unsigned i = 0; i < warm_up + count; ++i) {
            pass_on(there.out, back.in);
        }
        _exit(0);
    }
    const auto round_trip = [&] {
        char byte = 0;
        if (write(there.in.get(), &byte, 1) != 1 || read(back.out.get(), &byte, 1) != 1) {
            fail("the child's end");
        }
    };
    mean_ns(warm_up, round_trip);
    const double mean = mean_ns(count, round_trip);
    waitpid(child, nullptr, 0);
    return mean;
}

double read_file(unsigned count, const char *path) {
    const FileDescriptor file = open_file(path, O_RDONLY);
    std::array<char, 4096> buffer{};
    return mean_ns(count, [&] {
        if (pread(file.get(), buffer.data(), buffer.size(), 0) <= 0) {
            fail(path);
        }
    });
}

unsigned count_of(std::string_view text) {
    unsigned count = 0;
    std::from_chars(text.data(), text.data() + text.size(), count);
    return count;
}

int run(std::span<char *const> arguments) {
    const std::string_view work = arguments.size() > 1 ? arguments[1] : "";
    const unsigned count = arguments.size() > 2 ? count_of(arguments[2]) : 0;
    if (count > 0 && work == "ping-pong" && arguments.size() == 3) {
        fmt::print("{:.2f}\n", ping_pong(count));
    } else if (count > 0 && work == "read" && arguments.size() == 4) {
        fmt::print("{:.2f}\n", read_file(count, arguments[3]));
    } else {
        fmt::print(stderr, "usage: cpuacct_work ping-pong COUNT | read COUNT FILE\n");
        return 2;
    }
    return 0;
}

} // namespace

int main(int argc, char **argv) {
    try {
        return run({argv, static_cast<std::size_t>(argc)});
    } catch (const std::exception &error) {
        fmt::print(stderr, "cpuacct_work: {}\n", error.what());
        return 1;
    }
}
