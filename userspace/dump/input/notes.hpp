// SPDX-License-Identifier: GPL-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ballast::dump {

/** Bytes. Of thousands of CPUs they take some MB; what is larger comes from a damaged header. */
constexpr std::uint64_t largest_notes = std::uint64_t{64} << 20U;

/** The notes of a core (ELF-64 Object File Format): who writes one, of which type, and what. */
class Notes {
  public:
    /** Adds all notes of a PT_NOTE, whose alignment this is. */
    void add(std::span<const std::byte> notes, std::uint64_t alignment);

    /** Adds a VMCOREINFO note. */
    void add_vmcoreinfo(std::string_view text);

    /** All of them but ERASEINFO, one after the other. */
    [[nodiscard]] std::span<const std::byte> bytes() const { return bytes_; }

    /** The text of all ERASEINFO notes: what was erased from the memory, a line each. */
    [[nodiscard]] const std::string &eraseinfo() const { return eraseinfo_; }

    /** bytes() and an ERASEINFO note with this text, if there is any. */
    [[nodiscard]] std::vector<std::byte> with_eraseinfo(std::string_view text) const;

    /** The text of the first VMCOREINFO note: a part of bytes(), empty where there is none. */
    [[nodiscard]] std::string_view vmcoreinfo() const;

    /** The first NT_PRSTATUS note with its header and name: a part of bytes(), empty where there is none. */
    [[nodiscard]] std::span<const std::byte> prstatus() const;

    /** How many NT_PRSTATUS notes: one for each CPU that the kernel stopped. */
    [[nodiscard]] unsigned prstatus_count() const { return prstatus_count_; }

  private:
    struct Part {
        std::size_t offset = 0; // in bytes_
        std::size_t size = 0;
    };
    bool take_eraseinfo(std::size_t begin, std::uint64_t alignment);
    void find_known(std::size_t begin, std::uint64_t alignment);

    std::vector<std::byte> bytes_;
    std::string eraseinfo_;
    Part vmcoreinfo_;
    Part prstatus_;
    unsigned prstatus_count_ = 0;
};

} // namespace ballast::dump
