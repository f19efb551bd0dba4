// SPDX-License-Identifier: GPL-2.0
#pragma once

#include "dump/output/dump_work.hpp"

namespace ballast::dump {

/** write_dump() in the ELF format. dump.bytes and the zero pages that have no data are set; the caller does the rest.
 */
CopyResult write_elf(const DumpWork &work, DumpResult &dump);

} // namespace ballast::dump
