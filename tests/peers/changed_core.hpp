// SPDX-License-Identifier: GPL-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace ballast::peers {

/**
 * Writes into the memory that an ELF core holds, at a kernel virtual address, in each segment that has it (the kernel's
 * text is in two). Throws std::runtime_error where none has it or the file can't be written.
 */
void write_kernel(const std::string &core, std::uint64_t address, std::span<const std::byte> bytes);

} // namespace ballast::peers
