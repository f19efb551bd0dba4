// SPDX-License-Identifier: GPL-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace ballast::dump {

/** SYMBOL.member.member: a variable's name, then members of what it is or points at. */
using Expression = std::vector<std::string>;

/** As it was written. */
std::string text_of(const Expression &expression);

struct EraseCommand {
    struct WholeType {};
    struct Nullify {};
    using Extent = std::variant<WholeType, Nullify, std::uint64_t /* bytes */, Expression /* where their number is */>;

    unsigned line = 0;
    Expression what;
    Extent extent;
};

/** for … endfor: its commands once for each element. */
struct EraseLoop {
    struct Array {};
    struct Via {
        std::string next; // the member that points at the next element
    };
    struct Within {
        std::string structure; // that the struct list_head is in
        std::string member;    // as this one
    };

    unsigned line = 0;
    std::string variable; // stands for an element in the commands
    Expression list;
    std::variant<Array, Via, Within> kind;
    std::vector<EraseCommand> commands;
};

/** The commands for a module's variables, or for the kernel's. */
struct EraseSection {
    static constexpr std::string_view kernel = "vmlinux";

    unsigned line = 0;
    std::string module;
    std::vector<std::variant<EraseCommand, EraseLoop>> commands;
};

/** Understands makedumpfile.conf(5). Throws Error with file and line for what it doesn't. */
std::vector<EraseSection> parse_erase_config(std::string_view text, const std::string &path);

} // namespace ballast::dump
