// SPDX-License-Identifier: GPL-2.0
#include "page_blocks.hpp"

#include <algorithm>
#include <array>

#include <fcntl.h>
#include <linux/kernel-page-flags.h>
#include <unistd.h>

#include "control/file.hpp"
#include "machine.hpp"

namespace ballast::bench {

namespace {

constexpr std::uint64_t pages_per_block = block_size / page_size;

/** The flags of a block's pages. */
using Block = std::array<std::uint64_t, pages_per_block>;

constexpr std::uint64_t flag(unsigned number) {
    return std::uint64_t{1} << number;
}

/** Not in the kernel's header for programs; tools/mm/page-types.c of Linux knows it as well. */
constexpr unsigned kpf_reserved = 32;

constexpr std::uint64_t movable = flag(KPF_LRU) | flag(KPF_ANON) | flag(KPF_MMAP) | flag(KPF_OFFLINE);
constexpr std::uint64_t of_the_kernel = flag(KPF_SLAB) | flag(KPF_PGTABLE) | flag(KPF_COMPOUND_HEAD) |
                                        flag(KPF_COMPOUND_TAIL) | flag(KPF_NOPAGE) | flag(kpf_reserved);

bool is_free(std::uint64_t flags) {
    return (flags & flag(KPF_BUDDY)) != 0;
}

bool is_unmovable(std::uint64_t flags) {
    return !is_free(flags) && (flags & movable) == 0 && (flags & of_the_kernel) != 0;
}

} // namespace

std::uint64_t ideal_free_blocks() {
    // Not a stream: the kernel refuses a read of other than whole flags.
    const control::FileDescriptor file = control::open_file("/proc/kpageflags", O_RDONLY);
    std::uint64_t blocks = 0;
    std::uint64_t used = 0;
    for (Block block{}; read(file.get(), block.data(), sizeof(block)) == sizeof(block);) {
        if (std::none_of(block.begin(), block.end(), is_unmovable)) {
            ++blocks;
            used += pages_per_block - static_cast<std::uint64_t>(std::count_if(block.begin(), block.end(), is_free));
        }
    }
    return blocks - (used + pages_per_block - 1) / pages_per_block;
}

} // namespace ballast::bench
