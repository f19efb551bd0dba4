// SPDX-License-Identifier: GPL-2.0
#include "inflate.hpp"

#include "dump/input/inflater.hpp"

using ballast::dump::Codec;
using ballast::dump::Inflater;

std::vector<std::byte> inflate(Codec codec, std::span<const std::byte> bytes, std::size_t page_size) {
    std::vector<std::byte> page(page_size);
    return Inflater().inflate(static_cast<std::uint32_t>(codec), bytes, page) ? page : std::vector<std::byte>{};
}
