// SPDX-License-Identifier: GPL-2.0
#include "dump/kernel/kallsyms_tables.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>
#include <span>
#include <vector>

namespace ballast::dump {

namespace {

constexpr std::size_t token_count = 256;
constexpr std::size_t symbols_per_marker = 256;
constexpr std::size_t alignment = 8; // of each table
constexpr std::uint64_t largest_image = std::uint64_t{1} << 30;
constexpr std::uint64_t page_size = 4096;
constexpr std::uint64_t mib = std::uint64_t{1} << 20;

// What stands before the token index: some 3 MiB in Debian's kernels. Capture kernels have little memory.
constexpr std::array tables_sizes{4 * mib, 16 * mib};

using TokenIndex = std::array<std::uint16_t, token_count>;

std::size_t padded(std::size_t size) {
    return (size + alignment - 1) / alignment * alignment;
}

/** A run of mapped memory, and places in it. */
class Image {
  public:
    Image(std::uint64_t address, std::vector<std::byte> bytes) : address_(address), bytes_(std::move(bytes)) {}

    [[nodiscard]] std::size_t size() const { return bytes_.size(); }
    [[nodiscard]] std::uint64_t address_of(std::size_t place) const { return address_ + place; }

    /** Zero outside. */
    template<typename Value>
    [[nodiscard]] Value at(std::size_t place) const {
        Value value{};
        if (place <= bytes_.size() && bytes_.size() - place >= sizeof value) {
            std::memcpy(&value, &bytes_[place], sizeof value);
        }
        return value;
    }

  private:
    std::uint64_t address_;
    std::vector<std::byte> bytes_;
};

/** What is mapped from an address on, without a gap, up to a size. */
Image read_image(AddressSpace &memory, std::uint64_t address, std::size_t size) {
    std::vector<std::byte> bytes;
    bytes.reserve(size);
    while (bytes.size() < size) {
        const std::uint64_t next = address + bytes.size();
        const auto place = memory.translate(next);
        const std::size_t length = place ? std::min<std::size_t>(place->bytes, size - bytes.size()) : 0;
        bytes.resize(bytes.size() + length);
        if (length == 0 || !memory.read(next, std::span(bytes).last(length))) {
            bytes.resize(bytes.size() - length);
            break;
        }
    }
    return {address, std::move(bytes)};
}

bool is_token_index(const TokenIndex &index) {
    constexpr int longest = 64;
    const auto rises = [](int before, int after) { return after - before >= 1 && after - before <= longest; };
    return index[0] == 0 && std::adjacent_find(index.begin(), index.end(), [&](int before, int after) {
                                return !rises(before, after);
                            }) == index.end();
}

/** The token table before its index: each token but the first stands behind a NUL. */
std::optional<std::size_t> find_token_table(const Image &image, std::size_t index_place, const TokenIndex &index) {
    constexpr std::size_t longest = 64;
    const std::size_t shortest_table = padded(index.back() + std::size_t{1});
    for (std::size_t size = shortest_table; size <= shortest_table + longest && size <= index_place;
         size += alignment) {
        const std::size_t place = index_place - size;
        const bool fits = std::all_of(index.begin() + 1, index.end(),
                                      [&](std::uint16_t token) { return image.at<char>(place + token - 1) == '\0'; });
        if (fits) {
            return place;
        }
    }
    return std::nullopt;
}

/** How far each 256th name is from the first: numbers that rise from 0, up to `end`. */
struct Markers {
    std::size_t place = 0;
    std::size_t count = 0;
};

std::optional<Markers> find_markers(const Image &image, std::size_t end) {
    constexpr std::size_t size = sizeof(std::uint32_t);
    if (end >= size && image.at<std::uint32_t>(end - size) == 0) {
        end -= size; // padding
    }
    std::size_t place = end;
    while (place >= size) {
        place -= size;
        const auto marker = image.at<std::uint32_t>(place);
        if (marker == 0) {
            return Markers{.place = place, .count = (end - place) / size};
        }
        if (place + size < end && marker >= image.at<std::uint32_t>(place + size)) {
            break;
        }
    }
    return std::nullopt;
}

/** Do the names from this place on stand where the markers say, the first ones and by their number the last? */
bool are_names(const Image &image, std::size_t place, const Markers &markers) {
    std::size_t name = place;
    for (std::size_t i = 0; i < symbols_per_marker; ++i) {
        const std::size_t length = image.at<std::uint8_t>(name);
        if (length == 0) {
            return false;
        }
        name += 1 + length;
    }
    return name - place == image.at<std::uint32_t>(markers.place + sizeof(std::uint32_t));
}

/** index_place: in the image, or its end. */
std::optional<KallsymsTables> find_backwards(const Image &image, std::size_t index_place, const TokenIndex &index) {
    const auto tokens = find_token_table(image, index_place, index);
    const auto markers = tokens ? find_markers(image, *tokens) : std::nullopt;
    if (!markers || markers->count < 2) {
        return std::nullopt;
    }
    const auto last = image.at<std::uint32_t>(markers->place + (markers->count - 1) * sizeof(std::uint32_t));
    constexpr std::size_t longest_name = 128;
    for (std::size_t size = padded(last); size <= last + symbols_per_marker * longest_name; size += alignment) {
        constexpr std::size_t head = 2 * alignment; // relative_base and num_syms
        if (markers->place < size + head) {
            break;
        }
        const std::size_t names = markers->place - size;
        const auto count = image.at<std::uint64_t>(names - alignment);
        const bool fits = count > (markers->count - 1) * symbols_per_marker &&
                          count <= markers->count * symbols_per_marker && are_names(image, names, *markers);
        const std::size_t offsets_size = padded(count * sizeof(std::int32_t));
        if (fits && names - head >= offsets_size) {
            return KallsymsTables{.count = image.address_of(names - alignment),
                                  .names = image.address_of(names),
                                  .token_table = image.address_of(*tokens),
                                  .token_index = image.address_of(index_place),
                                  .offsets = image.address_of(names - head - offsets_size),
                                  .relative_base = image.address_of(names - head)};
        }
    }
    return std::nullopt;
}

/** The tables that end with a token index at the address; `first` is where the image begins. */
std::optional<KallsymsTables> find_before(std::uint64_t index_address, const TokenIndex &index, std::uint64_t first,
                                          AddressSpace &memory) {
    for (const std::uint64_t size : tables_sizes) {
        const std::size_t before = std::min(size, index_address - first);
        const auto tables = find_backwards(read_image(memory, index_address - before, before), before, index);
        if (tables || before < size) {
            return tables;
        }
    }
    return std::nullopt;
}

/** Looks for token indices in a part of the image. */
std::optional<KallsymsTables> search(const Image &part, std::uint64_t first, AddressSpace &memory) {
    for (std::size_t place = 0; place + sizeof(TokenIndex) <= part.size(); place += alignment) {
        const auto start = part.at<std::uint32_t>(place); // the first two: 0, and a small number
        if ((start & 0xffffU) != 0 || start == 0 || start >> 16U > 64) {
            continue;
        }
        const auto index = part.at<TokenIndex>(place);
        const auto tables =
            is_token_index(index) ? find_before(part.address_of(place), index, first, memory) : std::nullopt;
        if (tables) {
            return tables;
        }
    }
    return std::nullopt;
}

} // namespace

std::optional<KallsymsTables> kallsyms_tables_from(const Vmcoreinfo &vmcoreinfo) {
    const auto count = vmcoreinfo.symbol("kallsyms_num_syms");
    const auto names = vmcoreinfo.symbol("kallsyms_names");
    const auto token_table = vmcoreinfo.symbol("kallsyms_token_table");
    const auto token_index = vmcoreinfo.symbol("kallsyms_token_index");
    const auto offsets = vmcoreinfo.symbol("kallsyms_offsets");
    if (!count || !names || !token_table || !token_index || !offsets) {
        return std::nullopt;
    }
    return KallsymsTables{.count = *count,
                          .names = *names,
                          .token_table = *token_table,
                          .token_index = *token_index,
                          .offsets = *offsets,
                          .relative_base = vmcoreinfo.symbol("kallsyms_relative_base")};
}

std::optional<KallsymsTables> search_kallsyms_tables(const Vmcoreinfo &vmcoreinfo, AddressSpace &memory) {
    const auto text = vmcoreinfo.symbol("_stext");
    if (!text) {
        return std::nullopt;
    }
    const std::uint64_t begin = *text / page_size * page_size;
    for (std::uint64_t offset = 0; offset < largest_image; offset += mib) {
        constexpr std::size_t size = mib + sizeof(TokenIndex); // one may cross into the next part
        const Image part = read_image(memory, begin + offset, size);
        if (const auto tables = search(part, begin, memory)) {
            return tables;
        }
        if (part.size() < size) {
            break;
        }
    }
    return std::nullopt;
}

} // namespace ballast::dump
