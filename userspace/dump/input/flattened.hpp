// SPDX-License-Identifier: GPL-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

/**
 * The flattened format (makedumpfile -F), which a file that is written in any order takes through a pipe: a header of
 * 4,096 bytes, then records, each with the offset and size of the bytes that follow it. A record overwrites those
 * before it. Numbers are big endian. Documented in makedumpfile's IMPLEMENTATION file.
 */
namespace ballast::dump::flattened {

constexpr std::array<char, 16> signature = {'m', 'a', 'k', 'e', 'd', 'u', 'm', 'p', 'f', 'i', 'l', 'e'};
constexpr std::uint64_t header_size = 4096;
constexpr std::int64_t type = 1;
constexpr std::int64_t version = 1;

/** Where a record's bytes belong; end_mark after the last. */
struct Record {
    std::int64_t offset = 0;
    std::int64_t size = 0;

    bool operator==(const Record &) const = default;
};
constexpr Record end_mark{-1, -1};
constexpr std::size_t record_size = 16;

std::array<std::byte, header_size> make_header();
std::array<std::byte, record_size> encode(const Record &record);
Record decode(std::span<const std::byte, record_size> bytes);

/** Does a file begin like this? Any number of bytes. */
bool is_header(std::span<const std::byte> beginning);

/** Throws Error for a record that can't be; where: for the message. */
void check(const Record &record, const std::string &where);

} // namespace ballast::dump::flattened
