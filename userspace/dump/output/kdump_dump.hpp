// SPDX-License-Identifier: GPL-2.0
#pragma once

#include "dump/output/dump_work.hpp"

namespace ballast::dump {

/** write_dump() in the kdump-compressed format. dump.bytes is set; the caller does the rest. */
CopyResult write_kdump(const DumpWork &work, DumpResult &dump);

} // namespace ballast::dump
