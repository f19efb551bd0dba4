// SPDX-License-Identifier: GPL-2.0
#include "dump/input/given_vmcoreinfo.hpp"

#include "dump/input/error.hpp"
#include "dump/input/vmcoreinfo.hpp"
#include "dump/input/x86_64.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <fmt/format.h>
#include <optional>

namespace ballast::dump {

namespace {

constexpr std::uint64_t text_alignment = std::uint64_t{2} << 20; // CONFIG_PHYSICAL_ALIGN
constexpr int other_kernel = 2;                                  // exit status, makedumpfile's

constexpr std::string_view kernel_offset = "KERNELOFFSET";
constexpr std::string_view phys_base = "NUMBER(phys_base)";
// Of a run of the kernel, not of its build; and what leads to the kernel's BTF, of which makedumpfile -g doesn't tell.
constexpr std::array<std::string_view, 13> own_keys{kernel_offset,
                                                    phys_base,
                                                    "NUMBER(pgtable_l5_enabled)",
                                                    "NUMBER(sme_mask)",
                                                    "NUMBER(MAX_PHYSMEM_BITS)",
                                                    "CRASHTIME",
                                                    "BUILD-ID",
                                                    "SYMBOL(kallsyms_names)",
                                                    "SYMBOL(kallsyms_num_syms)",
                                                    "SYMBOL(kallsyms_token_table)",
                                                    "SYMBOL(kallsyms_token_index)",
                                                    "SYMBOL(kallsyms_offsets)",
                                                    "SYMBOL(kallsyms_relative_base)"};

void check_same_kernel(const Vmcoreinfo &given, const Vmcoreinfo &own) {
    const auto release = given.text("OSRELEASE");
    if (!release) {
        throw Error("-i: no text of VMCOREINFO: it has no OSRELEASE");
    }
    const auto own_release = own.text("OSRELEASE");
    if (own_release && *own_release != *release) {
        throw Error(fmt::format("-i: VMCOREINFO of {}, but the core is of {}", *release, *own_release), other_kernel);
    }
}

/** The lines with each symbol's address moved. */
std::string moved(std::string_view text, const Vmcoreinfo &lines, std::uint64_t offset) {
    std::string result;
    while (!text.empty()) {
        const std::string_view line = text.substr(0, text.find('\n'));
        text.remove_prefix(std::min(line.size() + 1, text.size()));
        const std::size_t equals = line.find('=');
        const std::string_view key = line.substr(0, equals);
        if (const auto address = lines.hexadecimal(key); address && key.starts_with("SYMBOL(")) {
            result += fmt::format("{}={:x}\n", key, *address + offset);
        } else {
            result += fmt::format("{}\n", line);
        }
    }
    return result;
}

/** What the run's own lines would say, out of the segment that maps the kernel's text (kdump's cores have one). */
std::string lines_of_segment(const Vmcoreinfo &given, std::span<const Segment> segments) {
    const auto text = std::ranges::find_if(
        segments, [](const Segment &segment) { return segment.virtual_address >= kernel_text_start; });
    const auto stext = given.symbol("_stext");
    if (text == segments.end() || !stext) {
        return "";
    }
    const std::uint64_t linked_at = *stext / text_alignment * text_alignment;
    const auto base = static_cast<std::int64_t>(text->physical - (text->virtual_address - kernel_text_start));
    return fmt::format("{}={:x}\n{}={}\n", kernel_offset, text->virtual_address - linked_at, phys_base, base);
}

} // namespace

std::string complete_given_vmcoreinfo(std::string_view given, std::string_view own, std::span<const Segment> segments) {
    const Vmcoreinfo given_lines(given);
    std::string from_segment = own.empty() ? lines_of_segment(given_lines, segments) : "";
    const Vmcoreinfo run(own.empty() ? std::string_view(from_segment) : own);
    check_same_kernel(given_lines, run);

    const bool of_a_build = !given_lines.text(kernel_offset);
    std::string result = moved(given, given_lines, of_a_build ? run.hexadecimal(kernel_offset).value_or(0) : 0);
    for (const std::string_view key : own_keys) {
        const auto value = run.text(key);
        if (value && !given_lines.text(key)) {
            result += fmt::format("{}={}\n", key, *value);
        }
    }
    return result;
}

} // namespace ballast::dump
