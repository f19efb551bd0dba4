// SPDX-License-Identifier: GPL-2.0
#pragma once

#include "dump/output/dump.hpp"
#include "dump/output/output.hpp"

#include <memory>
#include <vector>

namespace ballast::dump {

/** What write_dump() was given. */
struct DumpWork {
    const Core &core;
    const Machine &machine;
    const Bitmap &present;
    const Bitmap &dumped;
    const DumpOptions &options;
    ProgressSink &progress;
};

/** The files that the options name, or the standard output; null pointers for a dry run. Throws Error. */
std::vector<std::unique_ptr<Output>> open_outputs(const DumpOptions &options);

} // namespace ballast::dump
