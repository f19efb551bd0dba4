// SPDX-License-Identifier: GPL-2.0
#pragma once

#include "dump/cli/messages.hpp"
#include "dump/cli/options.hpp"
#include "dump/cli/signals.hpp"

namespace ballast::dump {

/** Opens the core, filters it, and writes its dump. Throws Error. */
void make_dump(const Options &options, const Messages &messages, const HeldSignals &signals);

} // namespace ballast::dump
