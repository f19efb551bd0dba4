// SPDX-License-Identifier: GPL-2.0
#include "dump/kernel/kallsyms_names.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <span>
#include <utility>

namespace ballast::dump {

namespace {

constexpr std::size_t token_count = 256;
constexpr std::size_t longest_token = 513;      // a name's limit and so a token's, and a NUL
constexpr std::size_t longest_name = 0x3fff;    // tokens, as two bytes tell
constexpr std::uint32_t most_symbols = 5000000; // kernels have some 200,000

/** Virtual memory from an address on, piece by piece. */
class ByteStream {
  public:
    ByteStream(AddressSpace &memory, std::uint64_t address) : memory_(&memory), address_(address) {}

    /** What comes next: at least so many bytes, or all that are left. */
    std::span<const std::uint8_t> ahead(std::size_t wanted) {
        while (filled_ - place_ < wanted && refill()) {
        }
        return std::span(buffer_).first(filled_).subspan(place_);
    }

    /** No more than there are ahead. */
    void skip(std::size_t count) { place_ += count; }

  private:
    bool refill() {
        std::copy(buffer_.begin() + static_cast<std::ptrdiff_t>(place_),
                  buffer_.begin() + static_cast<std::ptrdiff_t>(filled_), buffer_.begin());
        filled_ -= std::exchange(place_, 0);
        // Much at once, as each read walks the page tables; but behind the last page there may be nothing.
        return read_to_multiple_of(block) || read_to_multiple_of(page_size);
    }

    bool read_to_multiple_of(std::size_t size) {
        const std::size_t length = size - address_ % size;
        const auto piece = std::span(buffer_).subspan(filled_, length);
        if (!memory_->read(address_, std::as_writable_bytes(piece))) {
            return false;
        }
        address_ += length;
        filled_ += length;
        return true;
    }

    static constexpr std::size_t page_size = 4096;
    static constexpr std::size_t block = 8 * page_size;

    AddressSpace *memory_;
    std::uint64_t address_;
    // What is left when it is filled again is less than what is wanted, a name at most.
    std::vector<std::uint8_t> buffer_ = std::vector<std::uint8_t>(block + longest_name + 2);
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
            const auto ahead = bytes.ahead(longest_token);
            const auto end = std::ranges::find(ahead, 0);
            if (places[token] != place || end == ahead.end()) {
                return std::nullopt; // they stand side by side
            }
            tokens.texts_[token].assign(ahead.begin(), end);
            const std::size_t size = tokens.texts_[token].size() + 1;
            bytes.skip(size);
            place += size;
        }
        return tokens;
    }

    [[nodiscard]] const std::string &text(std::uint8_t token) const { return texts_[token]; }

  private:
    std::array<std::string, token_count> texts_;
};

/** Before a name stands a letter for the symbol's type. */
std::string_view without_type(std::string_view text) {
    return text.substr(std::min<std::size_t>(text.size(), 1));
}

/** The names looked for. */
class Wanted {
  public:
    Wanted(const Tokens &tokens, std::vector<std::string_view> names)
        : tokens_(&tokens), names_(std::move(names)), place_(token_count * token_count, unknown) {
        std::ranges::sort(names_);
    }

    /** Which of them it is; empty where it is none. */
    std::string_view find(std::span<const std::uint8_t> name) {
        if (name.size() < 2) {
            const std::string_view text = name.empty() ? "" : without_type(tokens_->text(name[0]));
            return std::ranges::binary_search(names_, text) ? *std::ranges::lower_bound(names_, text) : "";
        }
        // Nearly all are told from those that are wanted by their first two tokens, which are looked up once.
        std::uint16_t &place = place_[name[0] * token_count + name[1]];
        if (place == unknown) {
            place = add_beginning(name.first<2>());
        }
        const Beginning &beginning = beginnings_[place];
        for (const std::string_view wanted : beginning.names) {
            if (is(wanted.substr(beginning.length), name.subspan(2))) {
                return wanted;
            }
        }
        return {};
    }

  private:
    /** The names that begin with the text of two tokens, and how long that is without the type. */
    struct Beginning {
        std::span<const std::string_view> names;
        std::size_t length = 0;
    };

    std::uint16_t add_beginning(std::span<const std::uint8_t, 2> tokens) {
        const std::string both = tokens_->text(tokens[0]) + tokens_->text(tokens[1]);
        const std::string_view text = without_type(both);
        const auto first = std::ranges::lower_bound(names_, text);
        const auto last = std::find_if_not(first, names_.end(), [&](auto name) { return name.starts_with(text); });
        if (first == last) {
            return 0;
        }
        beginnings_.push_back({.names = {first, last}, .length = text.size()});
        return static_cast<std::uint16_t>(beginnings_.size() - 1);
    }

    [[nodiscard]] bool is(std::string_view rest, std::span<const std::uint8_t> name) const {
        for (const std::uint8_t token : name) {
            const std::string_view text = tokens_->text(token);
            // Most differ in the first letter.
            if (rest.empty() || text.empty() || text[0] != rest[0] || !rest.starts_with(text)) {
                return false;
            }
            rest.remove_prefix(text.size());
        }
        return rest.empty();
    }

    static constexpr std::uint16_t unknown = UINT16_MAX;

    const Tokens *tokens_;
    std::vector<std::string_view> names_;
    std::vector<Beginning> beginnings_ = {{}}; // the first has no names
    std::vector<std::uint16_t> place_;         // in beginnings_, by two tokens
};

/** The next name's tokens. Empty at memory's end. */
std::optional<std::span<const std::uint8_t>> next_name(ByteStream &bytes) {
    const auto ahead = bytes.ahead(longest_name + 2);
    if (ahead.size() < 2) {
        return std::nullopt;
    }
    // Two bytes of it since 6.1; no name was so long before.
    const bool is_long = ahead[0] >= 0x80;
    const std::size_t length = is_long ? (ahead[0] & 0x7fU) | std::size_t{ahead[1]} << 7U : ahead[0];
    const auto behind = ahead.subspan(is_long ? 2 : 1);
    if (length > behind.size() || length > longest_name) {
        return std::nullopt;
    }
    bytes.skip((is_long ? 2 : 1) + length);
    return behind.first(length);
}

} // namespace

SymbolNumbers find_symbol_numbers(const KallsymsTables &tables, AddressSpace &memory,
                                  const std::vector<std::string_view> &names) {
    std::uint32_t count = 0;
    const auto tokens = Tokens::read(tables, memory);
    if (!tokens || !memory.read(tables.count, std::as_writable_bytes(std::span(&count, 1))) || count > most_symbols) {
        return {};
    }
    SymbolNumbers numbers;
    Wanted wanted(*tokens, names);
    ByteStream bytes(memory, tables.names);
    for (std::uint32_t i = 0; i < count; ++i) {
        const auto coded = next_name(bytes);
        if (!coded) {
            break;
        }
        if (const std::string_view name = wanted.find(*coded); !name.empty()) {
            numbers.emplace(name, i);
        }
    }
    return numbers;
}

} // namespace ballast::dump
