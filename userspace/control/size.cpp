// SPDX-License-Identifier: GPL-2.0
#include "control/size.hpp"

#include <array>
#include <charconv>
#include <limits>

#include <fmt/format.h>

#include "control/error.hpp"

namespace ballast::control {
namespace {

constexpr std::string_view units = "KMGT";

Error bad_size(std::string_view text, std::string_view why) {
    return {std::errc::invalid_argument, fmt::format("'{}' {}", text, why)};
}

/** By how many bits a number with that suffix is shifted left; negative: no such suffix. */
int shift_of(std::string_view suffix) {
    if (suffix.empty() || suffix == "B") {
        return 0;
    }
    const auto unit = units.find(static_cast<char>(suffix.front() & ~0x20));
    const std::string_view rest = suffix.substr(1);
    const bool known = unit != std::string_view::npos && (rest.empty() || rest == "B" || rest == "iB");
    return known ? 10 * (static_cast<int>(unit) + 1) : -1;
}

} // namespace

std::uint64_t parse_size(std::string_view text) {
    if (!text.empty() && text.front() == '-') {
        throw bad_size(text, "is negative: a size is 0 or more");
    }
    std::uint64_t number = 0;
    const char *const end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, number);
    const int shift = shift_of({stop, static_cast<std::size_t>(end - stop)});
    if (error == std::errc::invalid_argument || shift < 0) {
        throw bad_size(text, "is not a size: give a whole number and K, M, G or T, such as 128M");
    }
    if (error == std::errc::result_out_of_range || number > std::numeric_limits<std::uint64_t>::max() >> shift) {
        throw Error(std::errc::result_out_of_range, fmt::format("'{}' is more bytes than 64 bits count", text));
    }
    return number << shift;
}

std::string format_size(std::uint64_t bytes) {
    if (bytes < 1024) {
        return fmt::format("{} B", bytes);
    }
    auto value = static_cast<double>(bytes) / 1024;
    std::size_t unit = 0;
    while (value >= 1024 && unit + 1 < units.size()) {
        value /= 1024;
        unit++;
    }
    const std::string number = fmt::format("{:.1f}", value);
    const bool whole = number.ends_with(".0");
    return fmt::format("{} {}iB", whole ? std::string_view(number).substr(0, number.size() - 2) : number, units[unit]);
}

} // namespace ballast::control
