// SPDX-License-Identifier: GPL-2.0
// Judges dumps of a core that crash_with_page_flags left:
//   judge_dump CORE DUMP...
//   judge_dump --without-layouts CORE COPY    copies the core without what VMCOREINFO says of layouts
// Exit status: 0 right, 1 pages wrongly kept or dropped, 2 trouble.
#include "judge.hpp"

#include <exception>
#include <fmt/format.h>
#include <iostream>
#include <span>
#include <string_view>

int main(int argc, char **argv) {
    const std::span<char *> arguments(argv, static_cast<std::size_t>(argc));
    if (arguments.size() < 3) {
        std::cerr << "usage: judge_dump CORE DUMP... | judge_dump --without-layouts CORE COPY\n";
        return 2;
    }
    try {
        if (std::string_view(arguments[1]) == "--without-layouts" && arguments.size() == 4) {
            ballast::peers::copy_without_layouts(arguments[2], arguments[3]);
            return 0;
        }
        const auto flags = ballast::peers::page_flags_in(arguments[1]);
        bool right = true;
        for (const char *dump : arguments.subspan(2)) {
            const auto judgement = ballast::peers::judge(flags, dump);
            fmt::print("{}:\n{}", dump, judgement.describe(flags));
            right = right && judgement.right();
        }
        return right ? 0 : 1;
    } catch (const std::exception &error) {
        std::cerr << "judge_dump: " << error.what() << '\n';
        return 2;
    }
}
