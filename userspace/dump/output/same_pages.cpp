// SPDX-License-Identifier: GPL-2.0
#include "dump/output/same_pages.hpp"

#include <xxhash.h>

#include <algorithm>
#include <bit>
#include <random>

namespace ballast::dump {

namespace {

std::uint64_t seed() {
    static const std::uint64_t one = [] {
        std::random_device random;
        return (std::uint64_t{random()} << 32U) | random();
    }();
    return one;
}

} // namespace

ContentHash hash_content(std::span<const std::byte> page) {
    const XXH128_hash_t hash = XXH3_128bits_withSeed(page.data(), page.size(), seed());
    return {.low = hash.low64, .high = hash.high64};
}

SamePages::SamePages(std::uint64_t memory)
    : slots_(std::bit_floor(std::max<std::uint64_t>(memory / sizeof(Slot), 2))) {}

std::optional<SamePages::Place> SamePages::find(const ContentHash &hash) const {
    const Place &place = slots_[slot_of(hash)].place;
    return place.size == 0 ? std::nullopt : std::optional(place);
}

void SamePages::add(const ContentHash &hash, const Place &place) {
    // A quarter stays empty, so that a search ends soon.
    if (used_ < slots_.size() / 4 * 3 || (slots_.size() < 4 && used_ == 0)) {
        slots_[slot_of(hash)] = {.hash = hash, .place = place};
        used_++;
    }
}

/** Where the hash is, or else would be. */
std::size_t SamePages::slot_of(const ContentHash &hash) const {
    const std::size_t mask = slots_.size() - 1;
    std::size_t n = hash.low & mask;
    while (slots_[n].place.size != 0 && !(slots_[n].hash == hash)) {
        n = (n + 1) & mask;
    }
    return n;
}

} // namespace ballast::dump
