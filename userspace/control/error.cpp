// SPDX-License-Identifier: GPL-2.0
#include "control/error.hpp"

#include <algorithm>

namespace ballast::control {
namespace {

// A message quotes what the user gave, and that may hold anything.
std::string one_line(std::string text) {
    std::replace_if(
        text.begin(), text.end(), [](unsigned char c) { return c < ' ' || c == 0x7f; }, '?');
    return text;
}

} // namespace

Error::Error(std::errc code, const std::string &message) : std::runtime_error(one_line(message)), code_(code) {}

std::string describe(int error_number) {
    return std::generic_category().message(error_number);
}

std::string describe(std::errc code) {
    return describe(static_cast<int>(code));
}

} // namespace ballast::control
