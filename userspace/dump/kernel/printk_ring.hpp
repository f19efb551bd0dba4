// SPDX-License-Identifier: GPL-2.0
#pragma once

#include "dump/input/vmcoreinfo.hpp"
#include "dump/kernel/address_space.hpp"

#include <cstdint>
#include <utility>
#include <vector>

namespace ballast::dump {

/**
 * Where the kernel's log stands: address and size of each part of the printk ring buffer (kernels from 5.10 on;
 * kernel/printk/printk_ringbuffer.h). Empty where VMCOREINFO doesn't tell. Throws Error on a read error.
 */
std::vector<std::pair<std::uint64_t, std::uint64_t>> printk_ring_memory(const Vmcoreinfo &vmcoreinfo,
                                                                        AddressSpace &memory);

} // namespace ballast::dump
