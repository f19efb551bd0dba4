// SPDX-License-Identifier: GPL-2.0
#include "dump/kernel/per_cpu.hpp"

#include "dump/kernel/typed_data.hpp"

#include <algorithm>

namespace ballast::dump {

namespace {

constexpr std::uint64_t largest_area = std::uint64_t{16} << 20; // kernels have some 200 KB
constexpr std::uint64_t most_cpus = 8192;                       // CONFIG_NR_CPUS' limit

} // namespace

PerCpu::PerCpu(AddressSpace &memory, const Symbols &found) {
    const auto begin = address_of(found, symbols[0]);
    const auto end = address_of(found, symbols[1]);
    const auto offsets = address_of(found, symbols[2]);
    const auto cpus_at = address_of(found, symbols[3]);
    const std::uint64_t cpus = cpus_at ? read_integer(memory, *cpus_at, sizeof(std::uint32_t)).value_or(0) : 0;
    if (!begin || !end || !offsets || *end < *begin || *end - *begin > largest_area) {
        return;
    }
    begin_ = *begin;
    size_ = *end - *begin;
    for (std::uint64_t cpu = 0; cpu < std::min(cpus, most_cpus); ++cpu) {
        if (const auto offset = read_integer(memory, *offsets + cpu * sizeof(std::uint64_t), sizeof(std::uint64_t))) {
            offsets_.push_back(*offset);
        }
    }
}

std::vector<std::uint64_t> PerCpu::addresses(std::uint64_t symbol) const {
    if (symbol < begin_ || symbol - begin_ >= size_) {
        return {symbol};
    }
    std::vector<std::uint64_t> copies;
    for (const std::uint64_t offset : offsets_) {
        copies.push_back(symbol + offset);
    }
    return copies;
}

} // namespace ballast::dump
