// SPDX-License-Identifier: GPL-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace ballast::control {

/**
 * Bytes that text says: a whole number, then optionally K, M, G or T (powers of 1024, either case, `iB` or `B` may
 * follow).
 *
 * @throws Error invalid_argument: negative or not a size; result_out_of_range: 2^64 bytes and more
 */
std::uint64_t parse_size(std::string_view text);

/** For people: the largest unit that leaves a number of 1 or more, with at most one decimal: "128 MiB", "1.5 GiB". */
std::string format_size(std::uint64_t bytes);

} // namespace ballast::control
