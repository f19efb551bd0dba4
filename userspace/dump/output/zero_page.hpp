// SPDX-License-Identifier: GPL-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

namespace ballast::dump {

/** Are all bytes of the page zero? It has at least 8. */
inline bool is_zero(std::span<const std::byte> page) {
    std::uint64_t first = 0;
    std::memcpy(&first, page.data(), sizeof(first));
    return first == 0 && std::memcmp(page.data(), page.data() + sizeof(first), page.size() - sizeof(first)) == 0;
}

} // namespace ballast::dump
