// SPDX-License-Identifier: GPL-2.0
// working_set MIB: a program's memory, of which each word is known. Reads and rewrites it until SIGTERM, then says how
// often all of it was right. Status 1 at the first word that is not.
#include <charconv>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <optional>
#include <span>
#include <vector>

#include <fmt/format.h>

namespace {

/** SIGTERM, which is blocked until somebody asks for it. */
class EndSignal {
  public:
    EndSignal() {
        sigemptyset(&signals_);
        sigaddset(&signals_, SIGTERM);
        sigprocmask(SIG_BLOCK, &signals_, nullptr);
    }

    [[nodiscard]] bool came() const {
        constexpr timespec at_once{};
        return sigtimedwait(&signals_, nullptr, &at_once) == SIGTERM;
    }

  private:
    sigset_t signals_{};
};

/** What stands at a place in a generation: neighbours differ in all bits (the finalizer of MurmurHash3). */
std::uint64_t word(std::uint64_t place, std::uint64_t generation) {
    std::uint64_t mixed = place + (generation << 40U);
    mixed = (mixed ^ (mixed >> 33U)) * 0xff51afd7ed558ccd;
    mixed = (mixed ^ (mixed >> 33U)) * 0xc4ceb9fe1a85ec53;
    return mixed ^ (mixed >> 33U);
}

/** Checks each word and writes the next generation's, so that no time is without words to lose. */
std::optional<std::size_t> first_wrong(std::span<std::uint64_t> memory, std::uint64_t generation) {
    for (std::size_t place = 0; place < memory.size(); ++place) {
        if (memory[place] != word(place, generation)) {
            return place;
        }
        memory[place] = word(place, generation + 1);
    }
    return {};
}

int run(std::size_t mib) {
    const EndSignal end;
    std::vector<std::uint64_t> memory((mib << 20U) / sizeof(std::uint64_t));
    for (std::size_t place = 0; place < memory.size(); ++place) {
        memory[place] = word(place, 0);
    }
    bool last = false;
    std::uint64_t generation = 0;
    for (; !last; ++generation) {
        last = end.came();
        if (const auto wrong = first_wrong(memory, generation)) {
            fmt::print("working_set: wrong content at byte {} of {} MiB in sweep {}\n", *wrong * sizeof(std::uint64_t),
                       mib, generation);
            return 1;
        }
    }
    fmt::print("{} sweeps over {} MiB, all intact\n", generation, mib);
    return 0;
}

} // namespace

int main(int argc, char **argv) {
    std::size_t mib = 0;
    if (argc != 2 || std::from_chars(argv[1], argv[1] + std::strlen(argv[1]), mib).ec != std::errc{} || mib == 0) {
        fmt::print(stderr, "usage: working_set MIB\n");
        return 2;
    }
    return run(mib);
}
