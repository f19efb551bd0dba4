// SPDX-License-Identifier: GPL-2.0
#pragma once

#include "dump/compress/compressor.hpp"

// One function for each file of this folder that knows a library; others ask make_compressor().
namespace ballast::dump {

std::unique_ptr<Compressor> make_zlib_compressor(std::size_t page_size);
std::unique_ptr<Compressor> make_lzo_compressor(std::size_t page_size);
std::unique_ptr<Compressor> make_snappy_compressor(std::size_t page_size);
std::unique_ptr<Compressor> make_zstd_compressor(std::size_t page_size, int level);

} // namespace ballast::dump
