// SPDX-License-Identifier: GPL-2.0
#pragma once

#include "dump/kernel/address_space.hpp"
#include "dump/kernel/symbols.hpp"

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

namespace ballast::dump {

/** Where each CPU has its copy of the kernel's per-CPU variables. */
class PerCpu {
  public:
    /** What the constructor looks for among the symbols. */
    static constexpr std::array<std::string_view, 4> symbols{"__per_cpu_start", "__per_cpu_end", "__per_cpu_offset",
                                                             "nr_cpu_ids"};

    /** Has no CPUs where the core doesn't tell. Throws Error on a read error. */
    PerCpu(AddressSpace &memory, const Symbols &found);

    /** Of one variable at the address that symbols give: its copies, or the address itself where it isn't per CPU. */
    [[nodiscard]] std::vector<std::uint64_t> addresses(std::uint64_t symbol) const;

    /** The first address that symbols give, and bytes from there on. */
    [[nodiscard]] std::uint64_t begin() const { return begin_; }
    [[nodiscard]] std::uint64_t size() const { return size_; }

  private:
    std::uint64_t begin_ = 0;
    std::uint64_t size_ = 0;
    std::vector<std::uint64_t> offsets_; // of each CPU's copy from there
};

} // namespace ballast::dump
