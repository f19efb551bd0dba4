// SPDX-License-Identifier: GPL-2.0
// balloon_fragmentation: how many free 2 MiB blocks a balloon leaves when it was taken from scattered memory, and the
// memory was compacted. A file in memory gets holes, the balloon fills them, the file goes, the kernel compacts.
// Prints one line of JSON; status 1 when it could not.
#include <chrono>
#include <cstdio>
#include <map>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "control/balloon.hpp"
#include "control/error.hpp"
#include "control/modules.hpp"
#include "holed_file.hpp"
#include "machine.hpp"
#include "page_blocks.hpp"

using namespace ballast::bench;
using namespace ballast::control;

namespace {

/** The module's parameters that make each kind of balloon; `external` is another module's, inflated by the host. */
const std::map<std::string, std::vector<std::string>> kinds = {
    {"4k", {"huge=0"}}, {"2m", {"huge=1"}}, {"unmovable", {"huge=0", "movable=0"}}, {"external", {}}};

/** Bytes that stay free outside the file. */
constexpr std::uint64_t spared = 64 << 20;

struct Options {
    std::string kind;
    std::uint64_t granule = 0;
    std::uint64_t balloon = 300 << 20;
};

Options parse(int argc, char **argv) {
    CLI::App app("Free 2 MiB blocks after a balloon was taken from scattered memory and the memory was compacted.",
                 "balloon_fragmentation");
    Options options;
    std::vector<std::string> names;
    names.reserve(kinds.size());
    for (const auto &[name, parameters] : kinds) {
        names.push_back(name);
    }
    app.add_option("--kind", options.kind, "whose balloon; external: prints `take` and waits for it to come")
        ->required()
        ->check(CLI::IsMember(names));
    app.add_option("--granule", options.granule, "bytes of each hole, and of what is between holes")
        ->required()
        ->check(CLI::IsMember({4096, 65536}));
    app.add_option("--balloon", options.balloon, "its size in bytes");
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError &error) {
        std::exit(app.exit(error));
    }
    return options;
}

std::uint64_t pages_in_balloons() {
    return event("balloon_inflate") - event("balloon_deflate");
}

/** A balloon of this machine's own, or the one that the host inflates meanwhile. */
class Taken {
  public:
    explicit Taken(const Options &options) : options_(options) {
        if (options.kind == "external") {
            return;
        }
        modules_.load("balloon_kvm", kinds.at(options.kind));
        balloon_ = Balloon::find("balloon-kvm");
    }
    Taken(const Taken &) = delete;
    Taken(Taken &&) = delete;
    Taken &operator=(const Taken &) = delete;
    Taken &operator=(Taken &&) = delete;
    ~Taken() {
        try {
            if (balloon_) {
                modules_.unload("balloon_kvm");
            }
        } catch (const Error &error) {
            fmt::print(stderr, "balloon_fragmentation: {}\n", error.what());
        }
    }

    void inflate() const {
        if (balloon_) {
            balloon_->set_target_bytes(options_.balloon);
            balloon_->wait({.time_limit = {}, .no_progress_limit = patience, .tick = patience, .report = {}});
            return;
        }
        fmt::print("take\n");
        std::fflush(stdout);
        const auto deadline = std::chrono::steady_clock::now() + patience;
        while (pages_in_balloons() < options_.balloon / page_size) {
            if (std::chrono::steady_clock::now() > deadline) {
                throw Error(std::errc::timed_out, "the host did not inflate the balloon in time");
            }
            std::this_thread::sleep_for(std::chrono::milliseconds(50));
        }
    }

  private:
    static constexpr std::chrono::seconds patience{120};

    Options options_;
    Modules modules_;
    std::optional<Balloon> balloon_;
};

void run(const Options &options) {
    quieten();
    compact();
    empty_free_lists_of_cpus();
    const Taken balloon(options);
    const std::uint64_t expected = free_blocks() - options.balloon / block_size;
    const auto migrated = event("balloon_migrate");
    {
        // Nearly all that is free, so that the balloon has to lie in the holes.
        const HoledFile file((memory_free() - spared) / 2, options.granule);
        balloon.inflate();
    }
    empty_free_lists_of_cpus();
    const std::uint64_t before = free_blocks();
    compact();
    empty_free_lists_of_cpus();
    fmt::print(
        R"({{"kind": "{}", "granule": {}, "expected": {}, "ideal": {}, "before": {}, "after": {}, "migrated": {}}})"
        "\n",
        options.kind, options.granule, expected, ideal_free_blocks(), before, free_blocks(),
        event("balloon_migrate") - migrated);
}

} // namespace

int main(int argc, char **argv) {
    try {
        run(parse(argc, argv));
        return 0;
    } catch (const std::exception &error) {
        fmt::print(stderr, "balloon_fragmentation: {}\n", error.what());
        return 1;
    }
}
