// SPDX-License-Identifier: GPL-2.0
#include "dump/kernel/typed_data.hpp"

#include <span>

namespace ballast::dump {

std::optional<std::uint64_t> read_integer(AddressSpace &memory, std::uint64_t address, std::uint64_t size,
                                          bool is_signed) {
    std::uint64_t value = 0;
    const bool is_whole = size == 1 || size == 2 || size == 4 || size == 8;
    if (!is_whole || !memory.read(address, std::as_writable_bytes(std::span(&value, 1)).first(size))) {
        return std::nullopt;
    }
    const auto unused = static_cast<unsigned>(64 - 8 * size);
    return is_signed ? static_cast<std::uint64_t>(static_cast<std::int64_t>(value << unused) >> unused) : value;
}

std::optional<std::uint64_t> read_pointer(AddressSpace &memory, std::uint64_t address) {
    return read_integer(memory, address, sizeof(std::uint64_t));
}

} // namespace ballast::dump
