// SPDX-License-Identifier: GPL-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <unordered_map>

namespace ballast::dump {

/**
 * The lines KEY=VALUE of VMCOREINFO, the kernel's description of itself for dumping tools
 * (Documentation/admin-guide/kdump/vmcoreinfo.rst). Refers to the text. What is absent or no number is empty.
 */
class Vmcoreinfo {
  public:
    explicit Vmcoreinfo(std::string_view text);

    [[nodiscard]] std::optional<std::string_view> text(std::string_view key) const;

    /** A decimal value, as PAGESIZE= and CRASHTIME= have. */
    [[nodiscard]] std::optional<std::int64_t> decimal(std::string_view key) const;

    /** A hexadecimal value, as KERNELOFFSET= has. */
    [[nodiscard]] std::optional<std::uint64_t> hexadecimal(std::string_view key) const;

    /** SYMBOL(name): a virtual address. */
    [[nodiscard]] std::optional<std::uint64_t> symbol(std::string_view name) const;

    /** OFFSET(struct.member), SIZE(struct), LENGTH(array). */
    [[nodiscard]] std::optional<std::uint64_t> offset(std::string_view name) const;
    [[nodiscard]] std::optional<std::uint64_t> size(std::string_view name) const;
    [[nodiscard]] std::optional<std::uint64_t> length(std::string_view name) const;

    /** NUMBER(name): decimal, can be negative. */
    [[nodiscard]] std::optional<std::int64_t> number(std::string_view name) const;

  private:
    std::unordered_map<std::string_view, std::string_view> lines_;
};

} // namespace ballast::dump
