// SPDX-License-Identifier: GPL-2.0
#pragma once

#include "dump/kernel/types.hpp"

#include <memory>
#include <string>

namespace ballast::dump {

/**
 * Types as the DWARF of a vmlinux describes them, the file that distributions have in their kernel's debug package.
 * Throws Error for a file that can't be read or has no debug information. So do the Types later, where it is damaged.
 */
std::unique_ptr<Types> open_dwarf(const std::string &vmlinux);

} // namespace ballast::dump
