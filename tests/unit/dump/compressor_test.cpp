// SPDX-License-Identifier: GPL-2.0
#include "dump/compress/compressor.hpp"

#include "inflate.hpp"

#include <algorithm>
#include <array>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/generators/catch_generators_range.hpp>
#include <cstdint>
#include <cstring>
#include <libdeflate.h>
#include <memory>
#include <random>
#include <vector>

namespace {

using namespace ballast::dump;
using Bytes = std::vector<std::byte>;

constexpr std::size_t page_size = 4096;

Bytes noise(std::uint32_t seed) {
    std::mt19937 random(seed);
    Bytes page(page_size);
    std::ranges::generate(page, [&] { return static_cast<std::byte>(random()); });
    return page;
}

/** Half noise, half a repeated pattern: something to win for every codec. */
Bytes compressible(std::uint32_t seed) {
    Bytes page = noise(seed);
    for (std::size_t n = page_size / 2; n < page_size; n++) {
        page[n] = page[n % 48];
    }
    return page;
}

Bytes stored_bytes(Compressor &compressor, const Bytes &page, StoredPage &stored) {
    Bytes out(compressor.room());
    stored = compressor.store(page, out);
    out.resize(stored.size);
    return out;
}

constexpr std::array codecs = {Codec::zlib, Codec::lzo, Codec::snappy, Codec::zstd};

} // namespace

TEST_CASE("A page that compresses inflates to itself, under the codec's flag") {
    const Codec codec = GENERATE(from_range(codecs));
    const auto compressor = make_compressor({.codec = codec}, page_size);
    const Bytes page = compressible(1);

    StoredPage stored;
    const Bytes bytes = stored_bytes(*compressor, page, stored);

    CHECK(stored.flags == static_cast<std::uint32_t>(codec));
    CHECK(stored.size < page_size);
    CHECK(inflate(codec, bytes, page_size) == page);
}

TEST_CASE("A page that doesn't get smaller is stored as it is, with flags 0") {
    const Codec codec = GENERATE(Codec::raw, Codec::zlib, Codec::lzo, Codec::snappy, Codec::zstd);
    const auto compressor = make_compressor({.codec = codec}, page_size);
    const Bytes page = noise(2);

    StoredPage stored;
    const Bytes bytes = stored_bytes(*compressor, page, stored);

    CHECK(stored.flags == 0);
    CHECK(stored.size == page_size);
    CHECK(bytes == page);
}

TEST_CASE("Without a codec even a page that would compress is stored as it is") {
    const auto compressor = make_compressor({}, page_size);
    const Bytes page = compressible(3);

    StoredPage stored;
    CHECK(stored_bytes(*compressor, page, stored) == page);
    CHECK(stored.flags == 0);
}

TEST_CASE("What a page compresses to doesn't depend on the pages before") {
    const Codec codec = GENERATE(from_range(codecs));
    StoredPage stored;
    const auto fresh = make_compressor({.codec = codec}, page_size);
    const Bytes alone = stored_bytes(*fresh, compressible(4), stored);

    const auto used = make_compressor({.codec = codec}, page_size);
    for (std::uint32_t seed = 5; seed < 20; seed++) {
        stored_bytes(*used, seed % 2 == 0 ? compressible(seed) : noise(seed), stored);
    }
    CHECK(stored_bytes(*used, compressible(4), stored) == alone);
}

TEST_CASE("No page makes a codec write beyond the room that it asked for") {
    const Codec codec = GENERATE(Codec::raw, Codec::zlib, Codec::lzo, Codec::snappy, Codec::zstd);
    const auto compressor = make_compressor({.codec = codec}, page_size);
    const auto mark = std::byte{0x5a};
    Bytes out(compressor->room() + 64, mark);

    for (std::uint32_t seed = 0; seed < 50; seed++) {
        compressor->store(noise(seed), std::span(out).first(compressor->room()));
    }
    CHECK(std::ranges::count(std::span(out).last(64), mark) == 64);
}

TEST_CASE("Larger pages, as arm64 has them, inflate to themselves") {
    const Codec codec = GENERATE(from_range(codecs));
    constexpr std::size_t large = 65536;
    const auto compressor = make_compressor({.codec = codec}, large);
    Bytes page;
    for (std::uint32_t seed = 0; seed < large / page_size; seed++) {
        const Bytes part = compressible(seed);
        page.insert(page.end(), part.begin(), part.end());
    }

    StoredPage stored;
    const Bytes bytes = stored_bytes(*compressor, page, stored);
    CHECK(stored.size < large);
    CHECK(inflate(codec, bytes, large) == page);
}

TEST_CASE("A page that zlib makes much smaller than libdeflate does is stored as zlib makes it") {
    // A table of offsets, 12 bytes from each other.
    Bytes page(page_size);
    for (std::uint32_t n = 0; n < page_size / sizeof n; n++) {
        const std::uint32_t offset = 0xfdd5bb8f + 12 * n;
        std::memcpy(&page[n * sizeof offset], &offset, sizeof offset);
    }
    std::array<std::byte, page_size> by_libdeflate{};
    const std::unique_ptr<libdeflate_compressor, decltype(&libdeflate_free_compressor)> deflate(
        libdeflate_alloc_compressor(1), &libdeflate_free_compressor);
    const std::size_t without_zlib =
        libdeflate_zlib_compress(deflate.get(), page.data(), page.size(), by_libdeflate.data(), by_libdeflate.size());

    const auto compressor = make_compressor({.codec = Codec::zlib}, page_size);
    StoredPage stored;
    const Bytes bytes = stored_bytes(*compressor, page, stored);

    CHECK(stored.size < without_zlib * 3 / 4);
    CHECK(inflate(Codec::zlib, bytes, page_size) == page);
}

TEST_CASE("A higher level of zstd makes pages smaller, and they inflate the same") {
    const auto fast = make_compressor({.codec = Codec::zstd, .zstd_level = zstd_levels().lowest}, page_size);
    const auto small = make_compressor({.codec = Codec::zstd, .zstd_level = 19}, page_size);
    std::vector<std::byte> page(page_size);
    for (std::size_t n = 0; n < page.size(); n++) {
        page[n] = static_cast<std::byte>((n * n / 7) % 50);
    }
    std::vector<std::byte> first(fast->room());
    std::vector<std::byte> second(small->room());
    const StoredPage large = fast->store(page, first);
    const StoredPage little = small->store(page, second);
    CHECK(little.size < large.size);
    CHECK(inflate(Codec::zstd, std::span(second).first(little.size), page_size) == page);
}

TEST_CASE("zstd leaves the literals of a page mostly of zeros as they are, and codes those of others") {
    // Digits that do not repeat, between zeros: literals that Huffman coding would halve.
    const auto zeros_and_digits = [](std::size_t zeros) {
        Bytes page(page_size);
        std::mt19937 random(5);
        std::generate(page.begin() + static_cast<std::ptrdiff_t>(zeros), page.end(),
                      [&] { return static_cast<std::byte>('0' + random() % 10); });
        return page;
    };
    // RFC 8878: behind the frame's header (4 + 1 + 2 bytes) and the block's (3), two bits tell the literals' kind.
    constexpr std::size_t literals_header = 10;
    constexpr auto raw = std::byte{0};
    constexpr auto huffman = std::byte{2};
    const auto [page, kind] = GENERATE_COPY(table<Bytes, std::byte>(
        {{zeros_and_digits(page_size / 8 * 3 + 1), raw}, {zeros_and_digits(page_size / 8 * 3), huffman}}));
    const auto compressor = make_compressor({.codec = Codec::zstd}, page_size);
    // The other kind before, as a compressor must not keep what it did with the last page.
    StoredPage stored;
    stored_bytes(*compressor, kind == raw ? zeros_and_digits(0) : zeros_and_digits(page_size / 2), stored);

    const Bytes bytes = stored_bytes(*compressor, page, stored);

    CHECK((bytes.at(literals_header) & std::byte{3}) == kind);
    CHECK(inflate(Codec::zstd, bytes, page_size) == page);
}
