// SPDX-License-Identifier: GPL-2.0
#include "dump/erase/erase_config.hpp"

#include "dump/input/error.hpp"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>
#include <limits>
#include <optional>
#include <utility>

namespace ballast::dump {

namespace {

using Words = std::vector<std::string_view>;

/** Up to a word that begins with #. */
Words words_of(std::string_view line) {
    constexpr std::string_view blank = " \t\r";
    Words words;
    for (std::size_t at = line.find_first_not_of(blank); at != std::string_view::npos && line[at] != '#';
         at = line.find_first_not_of(blank, at)) {
        const std::size_t end = std::min(line.find_first_of(blank, at), line.size());
        words.push_back(line.substr(at, end - at));
        at = end;
    }
    return words;
}

bool is_name(std::string_view text) {
    const auto is_part = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
    };
    return !text.empty() && (text[0] < '0' || text[0] > '9') && std::ranges::all_of(text, is_part);
}

class Parser {
  public:
    explicit Parser(std::string path) : path_(std::move(path)) {
        sections_.push_back({.line = 1, .module = std::string(EraseSection::kernel), .commands = {}});
    }

    std::vector<EraseSection> parse(std::string_view text) {
        while (!text.empty()) {
            ++line_;
            const std::size_t end = std::min(text.find('\n'), text.size());
            take(words_of(text.substr(0, end)));
            text.remove_prefix(std::min(end + 1, text.size()));
        }
        if (loop_) {
            line_ = loop_->line;
            fail("this 'for' has no 'endfor'");
        }
        return std::move(sections_);
    }

  private:
    [[noreturn]] void fail(const std::string &what) const { throw Error(fmt::format("{}:{}: {}", path_, line_, what)); }

    void take(const Words &words) {
        if (words.empty()) {
            return;
        }
        if (words[0].starts_with('[')) {
            begin_section(words);
        } else if (words[0] == "erase") {
            const EraseCommand command = erase(words);
            if (loop_) {
                loop_->commands.push_back(command);
            } else {
                sections_.back().commands.emplace_back(command);
            }
        } else if (words[0] == "for") {
            begin_loop(words);
        } else if (words[0] == "endfor") {
            end_loop(words);
        } else {
            fail(fmt::format("'{}' is no command: there are [MODULE], erase, for and endfor", words[0]));
        }
    }

    void begin_section(const Words &words) {
        const std::string_view word = words[0];
        if (words.size() > 1 || word.size() < 3 || word.find(']') != word.size() - 1) {
            fail("a section begins with [MODULE] or [vmlinux]");
        }
        if (loop_) {
            fail(fmt::format("a section begins inside the 'for' of line {}", loop_->line));
        }
        sections_.push_back({.line = line_, .module = std::string(word.substr(1, word.size() - 2)), .commands = {}});
    }

    [[nodiscard]] Expression expression(std::string_view text) const {
        Expression names;
        for (std::string_view rest = text;; rest.remove_prefix(rest.find('.') + 1)) {
            const std::string_view name = rest.substr(0, rest.find('.'));
            if (!is_name(name)) {
                fail(fmt::format("'{}' is not of the form SYMBOL.member", text));
            }
            names.emplace_back(name);
            if (name.size() == rest.size()) {
                return names;
            }
        }
    }

    [[nodiscard]] EraseCommand erase(const Words &words) const {
        if (words.size() < 2) {
            fail("what to erase is missing: erase SYMBOL[.member…] [size N|nullify]");
        }
        EraseCommand command{.line = line_, .what = expression(words[1]), .extent = EraseCommand::WholeType{}};
        if (words.size() == 3 && words[2] == "nullify") {
            command.extent = EraseCommand::Nullify{};
        } else if (words.size() == 4 && words[2] == "size") {
            command.extent = size(words[3]);
        } else if (words.size() != 2) {
            fail(
                fmt::format("'{}' is not understood after '{}': there are 'size N' and 'nullify'", words[2], words[1]));
        }
        return command;
    }

    [[nodiscard]] EraseCommand::Extent size(std::string_view word) const {
        if (word[0] < '0' || word[0] > '9') {
            return expression(word);
        }
        std::uint64_t number = 0;
        const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), number);
        const std::string_view unit = word.substr(static_cast<std::size_t>(end - word.data()));
        unsigned shift = 0;
        if (unit == "K" || unit == "k") {
            shift = 10;
        } else if (unit == "M" || unit == "m") {
            shift = 20;
        } else if (!unit.empty()) {
            fail(fmt::format("'{}' is no size: a number of bytes, with K or M behind it, or a variable", word));
        }
        if (error != std::errc() || number == 0 || number > std::numeric_limits<std::uint64_t>::max() >> shift) {
            fail(fmt::format("the size '{}' is out of range", word));
        }
        return number << shift;
    }

    void begin_loop(const Words &words) {
        if (loop_) {
            fail(fmt::format("a 'for' inside the one of line {}", loop_->line));
        }
        if (words.size() < 4 || words[2] != "in" || !is_name(words[1])) {
            fail(
                "a loop is: for NAME in LIST, for NAME in STRUCT via MEMBER, or for NAME in HEAD within STRUCT:MEMBER");
        }
        loop_ = EraseLoop{.line = line_,
                          .variable = std::string(words[1]),
                          .list = expression(words[3]),
                          .kind = EraseLoop::Array{},
                          .commands = {}};
        if (words.size() == 6 && words[4] == "via" && is_name(words[5])) {
            loop_->kind = EraseLoop::Via{std::string(words[5])};
        } else if (words.size() == 6 && words[4] == "within") {
            const std::size_t colon = std::min(words[5].find(':'), words[5].size());
            const std::string_view structure = words[5].substr(0, colon);
            const std::string_view member = words[5].substr(std::min(colon + 1, words[5].size()));
            if (!is_name(structure) || !is_name(member)) {
                fail(fmt::format("'{}' is not of the form STRUCT:MEMBER", words[5]));
            }
            loop_->kind = EraseLoop::Within{.structure = std::string(structure), .member = std::string(member)};
        } else if (words.size() != 4) {
            fail(fmt::format("'{}' is not understood after '{}': there are 'via MEMBER' and 'within STRUCT:MEMBER'",
                             words[4], words[3]));
        }
    }

    void end_loop(const Words &words) {
        if (words.size() > 1) {
            fail(fmt::format("'{}' is not understood after 'endfor'", words[1]));
        }
        if (!loop_) {
            fail("this 'endfor' has no 'for'");
        }
        sections_.back().commands.emplace_back(*std::exchange(loop_, std::nullopt));
    }

    std::string path_;
    unsigned line_ = 0;
    std::vector<EraseSection> sections_;
    std::optional<EraseLoop> loop_;
};

} // namespace

std::string text_of(const Expression &expression) {
    return fmt::format("{}", fmt::join(expression, "."));
}

std::vector<EraseSection> parse_erase_config(std::string_view text, const std::string &path) {
    return Parser(path).parse(text);
}

} // namespace ballast::dump
