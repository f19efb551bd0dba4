// SPDX-License-Identifier: GPL-2.0
#pragma once

#include "dump/input/core.hpp"
#include "dump/kernel/page_tables.hpp"

#include <cstdint>
#include <functional>

namespace ballast::dump {

/** Calls once with the physical address of each table, the top one among them. Throws Error on a read error. */
void visit_page_tables(const Core &core, const PageTables &tables, const std::function<void(std::uint64_t)> &visit);

} // namespace ballast::dump
