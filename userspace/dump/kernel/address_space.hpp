// SPDX-License-Identifier: GPL-2.0
#pragma once

#include "dump/input/page_reader.hpp"
#include "dump/kernel/page_tables.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace ballast::dump {

/** The dead kernel's virtual memory. One for each thread: it reads through a window of its own. */
class AddressSpace {
  public:
    AddressSpace(const Core &core, const PageTables &tables) : reader_(core), tables_(tables) {}

    /** Where a virtual address is, and how many bytes from there on are in the same page, be it small or huge. */
    struct Translation {
        std::uint64_t physical = 0;
        std::uint64_t bytes = 0;
    };

    /**
     * Walks the page tables (Intel SDM vol. 3, 4.5). Empty where nothing is mapped, or the tables aren't in the core.
     * Throws Error on a read error.
     */
    std::optional<Translation> translate(std::uint64_t address);

    /** Copies virtual memory. False where a part of it isn't mapped or isn't in the core. Throws Error on a read error.
     */
    bool read(std::uint64_t address, std::span<std::byte> out);

  private:
    struct Table {
        std::uint64_t physical = UINT64_MAX;
        std::array<std::uint64_t, page_table_entry::count> entries{};
    };

    /** Null where it isn't in the core. */
    const Table *table_at(std::uint64_t physical, unsigned level);

    PageReader reader_;
    PageTables tables_;
    // The last of each level: most addresses are near the one before, and in /proc/vmcore each read maps memory.
    std::array<Table, most_page_table_levels> last_tables_;
};

} // namespace ballast::dump
