// SPDX-License-Identifier: GPL-2.0
#pragma once

#include "dump/compress/compressor.hpp"

#include <cstddef>
#include <span>
#include <vector>

/** What a compressed page was, by the codec's own library; empty where the library refuses the bytes. */
std::vector<std::byte> inflate(ballast::dump::Codec codec, std::span<const std::byte> bytes, std::size_t page_size);
