// SPDX-License-Identifier: GPL-2.0
#include "dump_machine.hpp"

#include "dump/input/page_reader.hpp"
#include "support/synthetic_core.hpp"

#include <algorithm>
#include <filesystem>
#include <random>
#include <string>

using namespace ballast::dump;

namespace {

/** Pages from 64 MiB on, clear of the synthetic kernel's own. */
constexpr Pfn first_filled = 16384;
constexpr Pfn filled = 3000;

void fill(std::array<std::byte, SyntheticCore::page_size> &page, std::mt19937 &random, bool compressible) {
    std::ranges::generate(page, [&] { return static_cast<std::byte>(random()); });
    if (compressible) {
        std::fill(page.begin() + 200 + random() % 3000, page.end(), std::byte{7});
    }
}

SyntheticLayout make_core(const std::string &path) {
    SyntheticCore core;
    core.vmcoreinfo["CRASHTIME"] = std::to_string(DumpMachine::crash_time);
    std::mt19937 random(1);
    for (Pfn pfn = first_filled; pfn < first_filled + filled; pfn++) {
        const auto kind = random() % 8;
        if (kind != 0) { // one in eight stays zero
            fill(core.page(pfn), random, kind != 1);
        }
    }
    return core.write(path);
}

/** The kernel's own pages, runs with gaps among the filled, and some far from everything. */
Bitmap choose_pages(Pfn max_pfn) {
    Bitmap dumped(max_pfn);
    dumped.set_range(4096, 4200);
    std::mt19937 random(2);
    for (Pfn pfn = first_filled; pfn < first_filled + filled;) {
        const Pfn end = pfn + 1 + random() % 200;
        dumped.set_range(pfn, std::min(end, first_filled + filled));
        pfn = end + random() % 20;
    }
    dumped.set_range(60'000, 60'001);
    dumped.set_range(max_pfn - 1, max_pfn);
    return dumped;
}

bool is_zero(const std::vector<std::byte> &page) {
    return std::ranges::all_of(page, [](std::byte byte) { return byte == std::byte{0}; });
}

} // namespace

DumpMachine::DumpMachine()
    : core_path_(folder_.path() / "core"),
      layout_(make_core(core_path_)),
      core_(Core::open(core_path_)),
      kernel_(Kernel::describe(core_)),
      dumped_(choose_pages(core_.max_pfn())) {}

std::uint64_t DumpMachine::offset_in_core(Pfn pfn) const {
    constexpr std::uint64_t second_segment = 0x100000;
    return layout_.segments.at(1) + pfn * SyntheticCore::page_size - second_segment;
}

std::vector<Pfn> DumpMachine::dumped_pfns() const {
    std::vector<Pfn> pfns;
    for (Pfn pfn = 0; pfn < dumped_.size(); pfn++) {
        if (dumped_.test(pfn)) {
            pfns.push_back(pfn);
        }
    }
    return pfns;
}

std::vector<std::byte> DumpMachine::page(Pfn pfn) const {
    PageReader reader = core_.reader();
    const auto bytes = reader.page(pfn);
    return {bytes.begin(), bytes.end()};
}

std::uint64_t DumpMachine::zero_pages() const {
    return static_cast<std::uint64_t>(
        std::ranges::count_if(dumped_pfns(), [this](Pfn pfn) { return is_zero(page(pfn)); }));
}

std::uint64_t DumpMachine::rank_of_a_zero_page() const {
    const auto pfns = dumped_pfns();
    return static_cast<std::uint64_t>(std::ranges::find_if(pfns, [this](Pfn pfn) { return is_zero(page(pfn)); }) -
                                      pfns.begin());
}

std::uint64_t DumpMachine::wrong_pages(const ballast::peers::Kdumpfile &dump) const {
    std::vector<std::byte> bytes(core_.page_size());
    return static_cast<std::uint64_t>(std::ranges::count_if(dumped_pfns(), [&](Pfn pfn) {
        dump.read_page(pfn, bytes);
        return bytes != page(pfn);
    }));
}

DumpResult make_dump(const DumpMachine &machine, const DumpOptions &options) {
    NoProgress silent;
    return make_dump(machine, options, silent);
}

DumpResult make_dump(const DumpMachine &machine, const DumpOptions &options, ProgressSink &progress) {
    return write_dump(machine.core(), machine_of(machine.core(), machine.kernel()), machine.core().present(),
                      machine.dumped(), options, progress);
}
