// SPDX-License-Identifier: GPL-2.0
#pragma once

#include "dump/input/bitmap.hpp"

#include <cstdint>
#include <vector>

namespace ballast::dump {

/** Tells how many set bits a bitmap has before a bit. Memory: 8 bytes for 512 bits. Refers to the bitmap. */
class RankIndex {
  public:
    explicit RankIndex(const Bitmap &bitmap);

    /** n may be the bitmap's size. */
    [[nodiscard]] std::uint64_t rank(std::uint64_t n) const;

  private:
    const Bitmap *bitmap_;
    std::vector<std::uint64_t> before_; // set bits before each stretch of words
};

} // namespace ballast::dump
