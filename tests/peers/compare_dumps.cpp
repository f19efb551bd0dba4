// SPDX-License-Identifier: GPL-2.0
// Compares two dumps:  compare_dumps FIRST SECOND
// Exit status: 0 equal, 1 different, 2 trouble.
#include "comparison.hpp"

#include <exception>
#include <fmt/format.h>
#include <iostream>
#include <span>

int main(int argc, char **argv) {
    const std::span<char *> arguments(argv, static_cast<std::size_t>(argc));
    if (arguments.size() != 3) {
        std::cerr << "usage: compare_dumps FIRST SECOND\n";
        return 2;
    }
    try {
        const auto comparison = ballast::peers::compare_dumps(arguments[1], arguments[2]);
        fmt::print("{}\n", comparison.describe());
        return comparison.equal() ? 0 : 1;
    } catch (const std::exception &error) {
        std::cerr << "compare_dumps: " << error.what() << '\n';
        return 2;
    }
}
