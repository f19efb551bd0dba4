// SPDX-License-Identifier: GPL-2.0
#include "dump/kernel/symbols.hpp"

#include "dump/kernel/kallsyms_tables.hpp"

#include <algorithm>
#include <array>
#include <span>
#include <utility>
#include <vector>

namespace ballast::dump {

namespace {

constexpr std::size_t token_count = 256;
constexpr std::size_t longest_token = 512;      // a name's limit, and so a token's
constexpr std::uint32_t most_symbols = 5000000; // kernels have some 200,000

// Symbols that VMCOREINFO tells too, to check addresses by.
constexpr std::array<std::string_view, 4> anchors{"init_uts_ns", "_stext", "init_top_pgt", "node_online_map"};

template<typename Value>
std::optional<Value> read_value(AddressSpace &memory, std::uint64_t address) {
    Value value{};
    return memory.read(address, std::as_writable_bytes(std::span(&value, 1))) ? std::optional(value) : std::nullopt;
}

/** Bytes of virtual memory, one after the other. */
class ByteStream {
  public:
    ByteStream(AddressSpace &memory, std::uint64_t address) : memory_(&memory), address_(address) {}

    /** Empty where memory can't be read. */
    std::optional<std::uint8_t> next() {
        if (place_ == filled_ && !refill()) {
            return std::nullopt;
        }
        return buffer_[place_++];
    }

    bool skip(std::size_t count) {
        while (count > filled_ - place_) {
            count -= filled_ - place_;
            place_ = filled_;
            if (!refill()) {
                return false;
            }
        }
        place_ += count;
        return true;
    }

  private:
    bool refill() {
        // Much at once, as each read walks the page tables; but behind the last page there may be nothing.
        if (!refill_to_multiple_of(buffer_.size()) && !refill_to_multiple_of(page_size)) {
            filled_ = 0;
            return false;
        }
        address_ += filled_;
        return true;
    }

    bool refill_to_multiple_of(std::size_t block) {
        filled_ = block - address_ % block;
        place_ = 0;
        return memory_->read(address_, std::as_writable_bytes(std::span(buffer_).first(filled_)));
    }

    static constexpr std::size_t page_size = 4096;

    AddressSpace *memory_;
    std::uint64_t address_;
    std::vector<std::uint8_t> buffer_ = std::vector<std::uint8_t>(16 * page_size);
    std::size_t place_ = 0;
    std::size_t filled_ = 0;
};

/** What the bytes of a compressed name stand for. */
class Tokens {
  public:
    static std::optional<Tokens> read(const KallsymsTables &tables, AddressSpace &memory) {
        std::array<std::uint16_t, token_count> places{};
        if (!memory.read(tables.token_index, std::as_writable_bytes(std::span(places)))) {
            return std::nullopt;
        }
        Tokens tokens;
        ByteStream bytes(memory, tables.token_table);
        std::size_t place = 0;
        for (std::size_t token = 0; token < token_count; ++token) {
            if (places[token] < place || !bytes.skip(places[token] - place)) {
                return std::nullopt; // they stand in this order
            }
            std::string &text = tokens.texts_[token];
            auto byte = bytes.next();
            for (; byte.value_or(0) != 0 && text.size() < longest_token; byte = bytes.next()) {
                text.push_back(static_cast<char>(*byte));
            }
            place = places[token] + text.size() + 1;
        }
        return tokens;
    }

    [[nodiscard]] const std::string &text(std::uint8_t token) const { return texts_[token]; }

  private:
    std::array<std::string, token_count> texts_;
};

/** The names looked for, sorted. */
class Wanted {
  public:
    explicit Wanted(std::vector<std::string_view> names) : names_(std::move(names)) {
        std::sort(names_.begin(), names_.end());
    }

    /** The first that is not less, to see whether one starts with the text. */
    [[nodiscard]] bool any_starts_with(std::string_view text) const {
        const auto name = std::lower_bound(names_.begin(), names_.end(), text);
        return name != names_.end() && name->starts_with(text);
    }

    [[nodiscard]] bool contains(std::string_view text) const {
        return std::binary_search(names_.begin(), names_.end(), text);
    }

  private:
    std::vector<std::string_view> names_;
};

using Indices = std::map<std::string, std::uint32_t, std::less<>>;

/** A symbol's name without the letter for its type, which stands first. */
std::string_view without_type(std::string_view text) {
    return text.substr(std::min<std::size_t>(text.size(), 1));
}

/** Which two tokens may be the first of a wanted name: nearly all names are told from the wanted ones by them. */
class Beginnings {
  public:
    Beginnings(const Tokens &tokens, const Wanted &wanted) : pairs_(token_count * token_count) {
        for (std::size_t first = 0; first < token_count; ++first) {
            const std::string &text = tokens.text(static_cast<std::uint8_t>(first));
            firsts_[first] = wanted.any_starts_with(without_type(text));
            for (std::size_t second = 0; firsts_[first] && second < token_count; ++second) {
                const std::string both = text + tokens.text(static_cast<std::uint8_t>(second));
                pairs_[first * token_count + second] = wanted.any_starts_with(without_type(both));
            }
        }
    }

    [[nodiscard]] bool may_begin(std::uint8_t first) const { return firsts_[first]; }
    [[nodiscard]] bool may_begin(std::uint8_t first, std::uint8_t second) const {
        return pairs_[first * token_count + second];
    }

  private:
    std::array<bool, token_count> firsts_{};
    std::vector<bool> pairs_;
};

/** Reads one compressed name: its text where it is wanted, else nothing in it. Empty at memory's end. */
std::optional<std::string> read_name(ByteStream &bytes, const Tokens &tokens, const Wanted &wanted,
                                     const Beginnings &beginnings) {
    const auto low = bytes.next();
    if (!low) {
        return std::nullopt;
    }
    std::size_t length = *low;
    if (length >= 0x80) { // since 6.1; no name was so long before
        const auto high = bytes.next();
        if (!high) {
            return std::nullopt;
        }
        length = (length & 0x7fU) | std::size_t{*high} << 7U;
    }
    std::string text; // a letter for the symbol's type, then its name
    std::uint8_t first = 0;
    for (std::size_t n = 0; n < length; ++n) {
        const auto token = bytes.next();
        if (!token) {
            return std::nullopt;
        }
        bool may_be_wanted = n == 0 ? beginnings.may_begin(*token) : n > 1 || beginnings.may_begin(first, *token);
        if (may_be_wanted) {
            first = n == 0 ? *token : first;
            text += tokens.text(*token);
            may_be_wanted = n < 2 || wanted.any_starts_with(without_type(text));
        }
        if (!may_be_wanted) {
            return bytes.skip(length - n - 1) ? std::optional(std::string()) : std::nullopt;
        }
    }
    text.erase(0, 1);
    return wanted.contains(text) ? text : std::string();
}

/** Which symbols by number have the names. */
Indices find_indices(const KallsymsTables &tables, AddressSpace &memory, const Wanted &wanted) {
    const std::uint32_t count = read_value<std::uint32_t>(memory, tables.count).value_or(0);
    const auto tokens = Tokens::read(tables, memory);
    Indices indices;
    if (!tokens || count > most_symbols) {
        return indices;
    }
    const Beginnings beginnings(*tokens, wanted);
    ByteStream bytes(memory, tables.names);
    for (std::uint32_t i = 0; i < count; ++i) {
        const auto name = read_name(bytes, *tokens, wanted, beginnings);
        if (!name) {
            break;
        }
        if (!name->empty()) {
            indices.emplace(*name, i);
        }
    }
    return indices;
}

/** Where kallsyms' addresses stand, and how they may be coded. */
struct Offsets {
    std::uint64_t table = 0;
    std::uint64_t base = 0; // kallsyms_relative_base; 0 where there is none

    using Decode = std::uint64_t (*)(const Offsets &, std::uint32_t index, std::int32_t offset);
};

/** 4.6 to 6.14: what isn't negative is an absolute address, of a per-CPU variable. */
std::uint64_t absolute_or_below(const Offsets &offsets, std::uint32_t /*index*/, std::int32_t offset) {
    const std::int64_t wide = offset;
    return wide >= 0 ? static_cast<std::uint64_t>(wide) : offsets.base - 1 - static_cast<std::uint64_t>(wide);
}

/** Without per-CPU variables at absolute addresses. */
std::uint64_t above_base(const Offsets &offsets, std::uint32_t /*index*/, std::int32_t offset) {
    return offsets.base + static_cast<std::uint32_t>(offset);
}

/** 7.x: counted from where the offset itself stands. */
std::uint64_t from_own_place(const Offsets &offsets, std::uint32_t index, std::int32_t offset) {
    return offsets.table + std::uint64_t{index} * sizeof offset + static_cast<std::uint64_t>(std::int64_t{offset});
}

Symbols decode(const Indices &indices, const Offsets &offsets, Offsets::Decode way, AddressSpace &memory) {
    Symbols symbols;
    for (const auto &[name, index] : indices) {
        const auto offset = read_value<std::int32_t>(memory, offsets.table + std::uint64_t{index} * 4);
        if (offset) {
            symbols.emplace(name, way(offsets, index, *offset));
        }
    }
    return symbols;
}

/** Are all symbols right that VMCOREINFO tells as well? */
bool is_right(const Symbols &symbols, const Vmcoreinfo &vmcoreinfo) {
    unsigned right = 0;
    for (const std::string_view name : anchors) {
        const auto told = vmcoreinfo.symbol(name);
        const auto found = address_of(symbols, name);
        if (told && found) {
            if (*told != *found) {
                return false;
            }
            ++right;
        }
    }
    return right >= 2;
}

} // namespace

Symbols find_symbols(const Vmcoreinfo &vmcoreinfo, AddressSpace &memory, std::vector<std::string_view> names) {
    auto tables = kallsyms_tables_from(vmcoreinfo);
    if (!tables) {
        tables = search_kallsyms_tables(vmcoreinfo, memory);
    }
    if (!tables) {
        return {};
    }
    names.insert(names.end(), anchors.begin(), anchors.end());
    const Indices indices = find_indices(*tables, memory, Wanted(std::move(names)));
    const auto &base = tables->relative_base;
    const Offsets offsets{.table = tables->offsets,
                          .base = base ? read_value<std::uint64_t>(memory, *base).value_or(0) : 0};
    for (const Offsets::Decode way : {absolute_or_below, above_base, from_own_place}) {
        Symbols symbols = decode(indices, offsets, way, memory);
        if (is_right(symbols, vmcoreinfo)) {
            return symbols;
        }
    }
    return {};
}

std::optional<std::uint64_t> address_of(const Symbols &symbols, std::string_view name) {
    const auto found = symbols.find(name);
    return found == symbols.end() ? std::nullopt : std::optional(found->second);
}

} // namespace ballast::dump
