// SPDX-License-Identifier: GPL-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace ballast::dump {

/** 128 bits that stand for a page's content. */
struct ContentHash {
    std::uint64_t low = 0;
    std::uint64_t high = 0;

    bool operator==(const ContentHash &) const = default;
};

/**
 * XXH3 with a seed that differs from run to run, so that nobody can prepare pages that are taken for each other. Two
 * different pages out of 2^32 have the same hash with a probability of 2^-64.
 */
ContentHash hash_content(std::span<const std::byte> page);

/** Where pages are in the file, by their content. A table of a fixed size: when it is full, the pages that it knows
 * stay. What it finds depends on what was added before alone, never on the hashes' seed. */
class SamePages {
  public:
    /** memory: in bytes. */
    explicit SamePages(std::uint64_t memory);

    struct Place {
        std::uint64_t offset = 0;
        std::uint32_t size = 0;
        std::uint32_t flags = 0;
    };

    [[nodiscard]] std::optional<Place> find(const ContentHash &hash) const;

    /** Of a page that find() doesn't find. */
    void add(const ContentHash &hash, const Place &place);

  private:
    struct Slot {
        ContentHash hash;
        Place place; // size 0: empty
    };
    [[nodiscard]] std::size_t slot_of(const ContentHash &hash) const;

    std::vector<Slot> slots_; // open addressing; a power of two
    std::size_t used_ = 0;
};

} // namespace ballast::dump
