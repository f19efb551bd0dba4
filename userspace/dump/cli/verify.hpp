// SPDX-License-Identifier: GPL-2.0
#pragma once

#include "dump/cli/messages.hpp"
#include "dump/cli/options.hpp"
#include "dump/cli/signals.hpp"

namespace ballast::dump {

/** --verify: reads each page of a dump and says what is wrong with it. Throws Error unless all is well. */
void verify_dump(const Options &options, const Messages &messages, const HeldSignals &signals);

} // namespace ballast::dump
