// SPDX-License-Identifier: GPL-2.0
#include "comparison.hpp"

#include "dump_file.hpp"
#include "kdumpfile.hpp"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <utility>

namespace ballast::peers {

void PfnSet::add(std::uint64_t pfn) {
    if (ranges_.empty() || ranges_.back().end != pfn) {
        ranges_.push_back({.begin = pfn, .end = pfn});
    }
    ranges_.back().end++;
    count_++;
}

namespace {

std::string describe_set(const PfnSet &set, std::string_view what) {
    if (set.count() == 0) {
        return {};
    }
    constexpr std::size_t shown = 10;
    std::string text = fmt::format("{} pages {}:", set.count(), what);
    for (const PfnRange &range : std::span(set.ranges()).first(std::min(shown, set.ranges().size()))) {
        text += range.end - range.begin == 1 ? fmt::format(" {:#x}", range.begin)
                                             : fmt::format(" {:#x}-{:#x}", range.begin, range.end - 1);
    }
    if (set.ranges().size() > shown) {
        text += fmt::format(" and {} more ranges", set.ranges().size() - shown);
    }
    return text + '\n';
}

template<typename T>
void compare_field(std::vector<std::string> &differences, std::string_view name, const T &first, const T &second) {
    if (first != second) {
        differences.push_back(fmt::format("{}: {} and {}", name, first, second));
    }
}

std::vector<std::string> compare_headers(const DumpFile &first, const DumpFile &second) {
    std::vector<std::string> differences;
    const DumpHeader &a = first.header();
    const DumpHeader &b = second.header();
    compare_field(differences, "version", a.version, b.version);
    compare_field(differences, "release", a.release, b.release);
    compare_field(differences, "machine", a.machine, b.machine);
    compare_field(differences, "incomplete", a.status & status_incomplete, b.status & status_incomplete);
    compare_field(differences, "block_size", a.block_size, b.block_size);
    compare_field(differences, "bitmap_blocks", a.bitmap_blocks, b.bitmap_blocks);
    compare_field(differences, "nr_cpus", a.cpus, b.cpus);
    compare_field(differences, "phys_base", a.phys_base, b.phys_base);
    compare_field(differences, "dump_level", a.dump_level, b.dump_level);
    compare_field(differences, "max_mapnr", a.max_pfn, b.max_pfn);
    if (first.vmcoreinfo() != second.vmcoreinfo()) {
        differences.emplace_back("vmcoreinfo: other text");
    }
    return differences;
}

void compare_page(Comparison &result, const std::pair<Kdumpfile, Kdumpfile> &dumps, std::uint64_t pfn,
                  std::pair<std::vector<std::byte>, std::vector<std::byte>> &buffers) {
    try {
        dumps.first.read_page(pfn, buffers.first);
        dumps.second.read_page(pfn, buffers.second);
    } catch (const KdumpfileError &error) {
        if (result.unreadable.count() == 0) {
            result.first_unreadable = error.what();
        }
        result.unreadable.add(pfn);
        return;
    }
    result.pages_compared++;
    if (buffers.first != buffers.second) {
        result.content.add(pfn);
    }
}

} // namespace

bool Comparison::equal() const {
    const std::array sets = {&present_in_first, &present_in_second, &dumped_in_first,
                             &dumped_in_second, &content,           &unreadable};
    return header.empty() && std::ranges::all_of(sets, [](const PfnSet *set) { return set->count() == 0; });
}

std::string Comparison::describe() const {
    std::string text;
    for (const std::string &line : header) {
        text += "header: " + line + '\n';
    }
    text += describe_set(present_in_first, "present in the first only");
    text += describe_set(present_in_second, "present in the second only");
    text += describe_set(dumped_in_first, "dumped in the first only");
    text += describe_set(dumped_in_second, "dumped in the second only");
    text += describe_set(content, "with different content");
    text += describe_set(unreadable, "unreadable");
    if (unreadable.count() > 0) {
        text += first_unreadable + '\n';
    }
    return text + fmt::format("{}: {} pages compared", equal() ? "equal" : "different", pages_compared);
}

Comparison compare_dumps(const std::string &first, const std::string &second) {
    const DumpFile a(first);
    const DumpFile b(second);
    Comparison result;
    result.header = compare_headers(a, b);

    const std::pair<Kdumpfile, Kdumpfile> dumps(first, second);
    std::pair buffers(std::vector<std::byte>(a.header().block_size), std::vector<std::byte>(b.header().block_size));
    const std::uint64_t pages = std::max(a.header().max_pfn, b.header().max_pfn);
    for (std::uint64_t pfn = 0; pfn < pages; pfn++) {
        if (a.present(pfn) != b.present(pfn)) {
            (a.present(pfn) ? result.present_in_first : result.present_in_second).add(pfn);
        }
        if (a.dumped(pfn) != b.dumped(pfn)) {
            (a.dumped(pfn) ? result.dumped_in_first : result.dumped_in_second).add(pfn);
        } else if (a.dumped(pfn)) {
            compare_page(result, dumps, pfn, buffers);
        }
    }
    return result;
}

} // namespace ballast::peers
