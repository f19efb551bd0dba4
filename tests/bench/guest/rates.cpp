// SPDX-License-Identifier: GPL-2.0
// balloon_rates: how fast the software balloon inflates and deflates in single pages and in blocks of 2 MiB, run by run
// in turn, and how fast compaction moves its pages. Prints one line of JSON a run; status 1 when it could not.
#include <chrono>
#include <cstdio>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>

#include "control/balloon.hpp"
#include "control/error.hpp"
#include "control/file.hpp"
#include "control/modules.hpp"
#include "holed_file.hpp"
#include "machine.hpp"

using namespace ballast::bench;
using namespace ballast::control;

namespace {

struct Options {
    std::uint64_t bytes = 640 << 20;
    unsigned rounds = 5;
};

Options parse(int argc, char **argv) {
    CLI::App app("Pages per second of the software balloon: single pages and 2 MiB blocks in turn.", "balloon_rates");
    Options options;
    app.add_option("--balloon", options.bytes, "its size in bytes, whole blocks");
    app.add_option("--rounds", options.rounds, "runs of each kind");
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError &error) {
        std::exit(app.exit(error));
    }
    return options;
}

template<typename Action>
double seconds(const Action &action) {
    const auto begin = std::chrono::steady_clock::now();
    action();
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

/** The module, loaded for one run. */
class LoadedModule {
  public:
    explicit LoadedModule(const std::vector<std::string> &parameters) { modules_.load("balloon_kvm", parameters); }
    LoadedModule(const LoadedModule &) = delete;
    LoadedModule(LoadedModule &&) = delete;
    LoadedModule &operator=(const LoadedModule &) = delete;
    LoadedModule &operator=(LoadedModule &&) = delete;
    ~LoadedModule() {
        try {
            modules_.unload("balloon_kvm");
        } catch (const Error &error) {
            fmt::print(stderr, "balloon_rates: {}\n", error.what());
        }
    }

  private:
    Modules modules_;
};

/** Returns when the balloon has the size: the kernel wakes who polls, so nothing is read meanwhile. */
void resize(const Balloon &balloon, std::uint64_t bytes) {
    constexpr int patience_ms = 120'000;
    const auto path = balloon.group() / "size_bytes";
    const FileDescriptor file = open_file(path, O_RDONLY);
    // Reading arms the poll.
    read_text(file, path);
    balloon.set_target_bytes(bytes);
    while (parse_number(read_text(file, path), path.string()) != bytes) {
        pollfd wake{.fd = file.get(), .events = POLLPRI, .revents = 0};
        if (poll(&wake, 1, patience_ms) <= 0) {
            throw Error(std::errc::timed_out, fmt::format("{} did not reach {}", path.string(), bytes));
        }
    }
}

void measure_resize(const std::string &kind, const Balloon &balloon, std::uint64_t bytes) {
    const double inflate = seconds([&] { resize(balloon, bytes); });
    const std::uint64_t blocks = read_number(balloon.group() / "huge_now");
    const double deflate = seconds([&] { resize(balloon, 0); });
    const std::uint64_t size = bytes / page_size;
    const auto pages = static_cast<double>(size);
    fmt::print(R"({{"kind": "{}", "pages": {}, "blocks": {}, "inflate_pages_per_s": {:.0f}, )"
               R"("deflate_pages_per_s": {:.0f}}})"
               "\n",
               kind, size, blocks, pages / inflate, pages / deflate);
}

/** Once up and down, `times` times, after a small one: an emulator translates code when it first runs. */
void measure_resizes(const std::string &kind, const std::string &parameter, std::uint64_t bytes, unsigned times) {
    constexpr std::uint64_t first = 16 << 20;
    compact();
    const LoadedModule module({parameter, "min_free=0"});
    const Balloon balloon = Balloon::find("balloon-kvm");
    resize(balloon, first);
    resize(balloon, 0);
    while (times-- > 0) {
        measure_resize(kind, balloon, bytes);
    }
}

/** Pages that fill every other 64 KiB of a part of memory move when the rest of that part is free. */
void measure_migration(std::uint64_t bytes) {
    compact();
    const LoadedModule module({"huge=0", "min_free=0"});
    const Balloon balloon = Balloon::find("balloon-kvm");
    {
        const HoledFile file(bytes + bytes / 20, 65536);
        resize(balloon, bytes);
    }
    const double elapsed = seconds([] { write_text("/proc/sys/vm/compact_memory", "1"); });
    const std::uint64_t migrated = balloon.status().migrated;
    fmt::print(R"({{"kind": "migrate", "pages": {}, "migrate_pages_per_s": {:.0f}}})"
               "\n",
               migrated, static_cast<double>(migrated) / elapsed);
}

void run(const Options &options) {
    // Blocks take milliseconds, which anything else that the machine does may double: so they are measured more often.
    constexpr unsigned times_of_blocks = 5;
    constexpr std::uint64_t migrated = 192 << 20;
    quieten();
    for (unsigned round = 0; round < options.rounds; ++round) {
        measure_resizes("4k", "huge=0", options.bytes, 1);
        measure_resizes("2m", "huge=1", options.bytes, times_of_blocks);
        measure_migration(migrated);
    }
}

} // namespace

int main(int argc, char **argv) {
    try {
        run(parse(argc, argv));
        return 0;
    } catch (const std::exception &error) {
        fmt::print(stderr, "balloon_rates: {}\n", error.what());
        return 1;
    }
}
