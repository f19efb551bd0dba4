// SPDX-License-Identifier: GPL-2.0
#pragma once

#include "dump/cli/messages.hpp"
#include "dump/cli/options.hpp"

namespace ballast::dump {

// What is read out of a core, or a vmlinux, without making a dump.

/** --dump-dmesg: writes the crashed kernel's log to the output. Throws Error. */
void dump_log(const Options &options, const Messages &messages);

/** -g: writes a text of VMCOREINFO made of a vmlinux. An older one is overwritten, as makedumpfile does. Throws Error.
 */
void write_vmcoreinfo(const Options &options, const Messages &messages);

/** --vtop: prints where a virtual address of the crashed kernel is. Throws Error where it is nowhere. */
void translate_address(const Options &options, const Messages &messages);

} // namespace ballast::dump
