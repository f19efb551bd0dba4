// SPDX-License-Identifier: GPL-2.0
#include "dump/input/flattened.hpp"

#include "dump/input/error.hpp"

#include <algorithm>
#include <cstring>
#include <endian.h>
#include <fmt/format.h>

namespace ballast::dump::flattened {

namespace {

// Of x86-64's 4 PiB of physical memory at most, a dump with all its tables ends before this.
constexpr std::int64_t largest_file = std::int64_t{1} << 53;

void put(std::span<std::byte> out, std::int64_t number) {
    const std::uint64_t big = htobe64(static_cast<std::uint64_t>(number));
    std::memcpy(out.data(), &big, sizeof big);
}

std::int64_t get(std::span<const std::byte> bytes) {
    std::uint64_t big = 0;
    std::memcpy(&big, bytes.data(), sizeof big);
    return static_cast<std::int64_t>(be64toh(big));
}

} // namespace

std::array<std::byte, header_size> make_header() {
    std::array<std::byte, header_size> header{};
    std::memcpy(header.data(), signature.data(), signature.size());
    put(std::span(header).subspan(signature.size()), type);
    put(std::span(header).subspan(signature.size() + sizeof type), version);
    return header;
}

std::array<std::byte, record_size> encode(const Record &record) {
    std::array<std::byte, record_size> bytes{};
    put(bytes, record.offset);
    put(std::span(bytes).subspan(sizeof record.offset), record.size);
    return bytes;
}

Record decode(std::span<const std::byte, record_size> bytes) {
    return {.offset = get(bytes), .size = get(bytes.subspan(sizeof(std::int64_t)))};
}

bool is_header(std::span<const std::byte> beginning) {
    return beginning.size() >= signature.size() &&
           std::memcmp(beginning.data(), signature.data(), signature.size()) == 0;
}

void check(const Record &record, const std::string &where) {
    if (record.offset < 0 || record.size <= 0 || record.size > largest_file ||
        record.offset > largest_file - record.size) {
        throw Error(fmt::format("{}: damaged: a record of {} bytes for offset {}", where, record.size, record.offset));
    }
}

} // namespace ballast::dump::flattened
