// SPDX-License-Identifier: GPL-2.0
#include "dump/kernel/page_table_walk.hpp"

#include "dump/input/page_reader.hpp"

#include <array>
#include <span>
#include <unordered_set>

namespace ballast::dump {

namespace {

class Walk {
  public:
    Walk(const Core &core, const PageTables &tables, const std::function<void(std::uint64_t)> &visit)
        : reader_(core), tables_(tables), visit_(visit) {}

    void table(std::uint64_t physical, unsigned level) {
        // Tables are shared (espfix, KASAN's shadow); those of a damaged core may also hold each other.
        if (!visited_.insert(physical).second) {
            return;
        }
        visit_(physical);
        std::array<std::uint64_t, page_table_entry::count> entries{};
        if (level == 1 || !reader_.read(physical, std::as_writable_bytes(std::span(entries)))) {
            return;
        }
        for (const std::uint64_t entry : entries) {
            if ((entry & page_table_entry::present) != 0 && !page_table_entry::is_page(entry, level)) {
                table(entry & page_table_entry::address & ~tables_.encryption_mask, level - 1);
            }
        }
    }

  private:
    PageReader reader_;
    PageTables tables_;
    const std::function<void(std::uint64_t)> &visit_;
    std::unordered_set<std::uint64_t> visited_;
};

} // namespace

void visit_page_tables(const Core &core, const PageTables &tables, const std::function<void(std::uint64_t)> &visit) {
    Walk(core, tables, visit).table(tables.root, tables.levels);
}

} // namespace ballast::dump
