// SPDX-License-Identifier: GPL-2.0
#pragma once

#include "dump/input/bitmap.hpp"
#include "dump/input/core.hpp"
#include "dump/input/progress.hpp"
#include "dump/kernel/kernel.hpp"
#include "dump/output/dump.hpp"
#include "peers/kdumpfile.hpp"
#include "support/folder.hpp"
#include "support/synthetic_core.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

/**
 * A synthetic core whose pages are of all kinds that compression knows (zeros, compressible, not), and a choice of
 * pages to dump with gaps of all sizes.
 */
class DumpMachine {
  public:
    DumpMachine();

    static constexpr std::int64_t crash_time = 1'600'000'000;

    [[nodiscard]] const ballast::dump::Core &core() const { return core_; }
    [[nodiscard]] const ballast::dump::Kernel &kernel() const { return kernel_; }
    [[nodiscard]] const ballast::dump::Bitmap &dumped() const { return dumped_; }

    /** Of the pages to dump. */
    [[nodiscard]] std::uint64_t zero_pages() const;
    [[nodiscard]] std::uint64_t rank_of_a_zero_page() const;

    /** How many of the pages to dump read otherwise from the dump than from the core. */
    [[nodiscard]] std::uint64_t wrong_pages(const ballast::peers::Kdumpfile &dump) const;

    /** The page's bytes in the core. */
    [[nodiscard]] std::vector<std::byte> page(ballast::dump::Pfn pfn) const;

    /** Where the page's bytes are in the core's file. */
    [[nodiscard]] std::uint64_t offset_in_core(ballast::dump::Pfn pfn) const;

    /** The pages to dump, in order. */
    [[nodiscard]] std::vector<ballast::dump::Pfn> dumped_pfns() const;

    [[nodiscard]] const std::string &core_path() const { return core_path_; }

  private:
    Folder folder_;
    std::string core_path_;
    SyntheticLayout layout_;
    ballast::dump::Core core_;
    ballast::dump::Kernel kernel_;
    ballast::dump::Bitmap dumped_;
};

/** Writes a dump of the machine's pages to dump. Throws what write_dump() throws. */
ballast::dump::DumpResult make_dump(const DumpMachine &machine, const ballast::dump::DumpOptions &options);
ballast::dump::DumpResult make_dump(const DumpMachine &machine, const ballast::dump::DumpOptions &options,
                                    ballast::dump::ProgressSink &progress);
