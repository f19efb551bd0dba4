// SPDX-License-Identifier: GPL-2.0
#pragma once

#include "dump/erase/erase_config.hpp"
#include "dump/erase/erased_memory.hpp"
#include "dump/input/core.hpp"
#include "dump/kernel/kernel.hpp"

#include <string>
#include <vector>

namespace ballast::dump {

/** What a config erases from a core. */
struct Erasure {
    ErasedMemory memory;
    std::string eraseinfo;              // for the dump: each command that was carried out, a line each
    std::vector<std::string> remarks{}; // on what was passed over
};

/**
 * Finds out where in memory what the sections name is; types and addresses come from vmlinux, or where that is empty
 * from the BTF and kallsyms in the kernel's memory. path: the config's, for messages.
 *
 * A module that isn't loaded, or has no debug information, is passed over and told, as by makedumpfile. Anything else
 * that this kernel doesn't have, or that a command doesn't fit, throws Error: the dump would hold what was to be
 * erased.
 */
Erasure find_erasure(const Core &core, const Kernel &kernel, const std::vector<EraseSection> &sections,
                     const std::string &path, const std::string &vmlinux);

} // namespace ballast::dump
