// SPDX-License-Identifier: GPL-2.0
#pragma once

#include "dump/cli/messages.hpp"
#include "dump/cli/options.hpp"
#include "dump/cli/signals.hpp"

namespace ballast::dump {

/** -R: makes a file of the flattened one on standard input. Throws Error. */
void rearrange_dump(const Options &options, const Messages &messages);

/** --reassemble: makes one file of a split set, its pages stored as they are. Throws Error. */
void reassemble_dump(const Options &options, const Messages &messages, const HeldSignals &signals);

} // namespace ballast::dump
