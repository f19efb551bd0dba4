// SPDX-License-Identifier: GPL-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

/** What a kernel's BTF tells: structs with the offsets of their members, enums with their values. */
struct SyntheticTypes {
    struct Struct {
        std::uint32_t size = 0;
        std::map<std::string, std::uint32_t> members;  // those of unnamed unions among them
        std::map<std::string, std::uint32_t> unnamed;  // those of an unnamed union, which starts with the lowest
        std::map<std::string, std::uint32_t> arrays{}; // the number of elements of members that are arrays, at 0
    };
    std::map<std::string, Struct> structs;
    std::map<std::string, std::map<std::string, std::int32_t>> enums;
};

/** Linux 6.1's and 7.3's, as far as a dump's filter needs them. */
SyntheticTypes types_of_6_1();
SyntheticTypes types_of_7_3();

/** As BTF. */
std::vector<std::byte> btf_of(const SyntheticTypes &types);
