// SPDX-License-Identifier: GPL-2.0
// For a guest that is about to crash: takes memory of many kinds, copies /proc/kpageflags into its own memory and
// crashes the kernel. So the core holds what the kernel itself said of each page, as it was at the crash.
#include "copy.hpp"
#include "user_pages.hpp"

#include <cerrno>
#include <cstdio>
#include <exception>
#include <fcntl.h>
#include <fstream>
#include <sched.h>
#include <span>
#include <stdexcept>
#include <string>
#include <sys/mman.h>
#include <system_error>
#include <unistd.h>

namespace {

using ballast::peers::PageFlagsCopy;

constexpr std::size_t flags_per_page = std::tuple_size_v<decltype(PageFlagsCopy::flags)>;
constexpr unsigned most_copies = 1000;

std::system_error failure(const std::string &what) {
    return {errno, std::generic_category(), what};
}

int open_page_flags() {
    const int file = ::open("/proc/kpageflags", O_RDONLY | O_CLOEXEC);
    if (file < 0) {
        throw failure("/proc/kpageflags");
    }
    return file;
}

/** How many pfns the file has. */
std::uint64_t count_pages(int file) {
    std::array<std::uint64_t, flags_per_page> flags{};
    std::uint64_t pages = 0;
    while (true) {
        const ssize_t got = ::pread(file, flags.data(), sizeof flags, static_cast<off_t>(pages * sizeof flags[0]));
        if (got < 0) {
            throw failure("/proc/kpageflags");
        }
        if (got == 0) {
            return pages;
        }
        pages += static_cast<std::uint64_t>(got) / sizeof flags[0];
    }
}

/** Room for a copy that needs no memory any more while it is filled. */
std::span<PageFlagsCopy> reserve(std::uint64_t pages) {
    const std::size_t count = (pages + flags_per_page - 1) / flags_per_page;
    void *memory = ::mmap(nullptr, count * sizeof(PageFlagsCopy), PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    if (memory == MAP_FAILED || ::mlock(memory, count * sizeof(PageFlagsCopy)) != 0) {
        throw failure("memory for a copy of /proc/kpageflags");
    }
    return {static_cast<PageFlagsCopy *>(memory), count};
}

void copy(int file, std::uint64_t pages, std::uint64_t generation, std::span<PageFlagsCopy> to) {
    for (std::size_t i = 0; i < to.size(); ++i) {
        PageFlagsCopy &page = to[i];
        page.magic = PageFlagsCopy::magic_value;
        page.generation = generation;
        page.pages = pages;
        page.first_pfn = i * flags_per_page;
        const std::size_t size = std::min<std::size_t>(flags_per_page, pages - page.first_pfn) * sizeof page.flags[0];
        const auto offset = static_cast<off_t>(page.first_pfn * sizeof page.flags[0]);
        if (::pread(file, page.flags.data(), size, offset) != static_cast<ssize_t>(size)) {
            throw failure("/proc/kpageflags");
        }
    }
}

/** What decides of a page's class; others change all the time. */
std::uint64_t essential(std::uint64_t flags) {
    namespace kpf = ballast::peers::kpf;
    return flags &
           (kpf::lru | kpf::slab | kpf::buddy | kpf::anonymous | kpf::swapcache | kpf::swapbacked | kpf::compound_head |
            kpf::compound_tail | kpf::huge | kpf::hwpoison | kpf::no_page | kpf::offline | kpf::private_data);
}

bool agree(std::span<const PageFlagsCopy> first, std::span<const PageFlagsCopy> second) {
    for (std::size_t i = 0; i < first.size(); ++i) {
        for (std::size_t j = 0; j < flags_per_page; ++j) {
            if (essential(first[i].flags[j]) != essential(second[i].flags[j])) {
                return false;
            }
        }
    }
    return true;
}

/** Nobody else runs: the other CPUs are off, and this program comes before all others. */
void silence_others() {
    for (int cpu = 1; cpu < 64; ++cpu) {
        std::ofstream("/sys/devices/system/cpu/cpu" + std::to_string(cpu) + "/online") << 0 << std::flush;
    }
    const sched_param first{.sched_priority = 99};
    if (::sched_setscheduler(0, SCHED_FIFO, &first) != 0) {
        throw failure("sched_setscheduler");
    }
}

[[noreturn]] void crash() {
    const int trigger = ::open("/proc/sysrq-trigger", O_WRONLY | O_CLOEXEC);
    if (trigger < 0) {
        throw failure("/proc/sysrq-trigger");
    }
    const int file = open_page_flags();
    const std::uint64_t pages = count_pages(file);
    const std::array<std::span<PageFlagsCopy>, 2> copies{reserve(pages), reserve(pages)};
    copy(file, pages, 0, copies[0]);
    for (std::uint64_t generation = 1; generation < most_copies; ++generation) {
        copy(file, pages, generation, copies[generation % 2]);
        if (agree(copies[0], copies[1])) {
            static_cast<void>(::write(trigger, "c", 1));
            throw std::runtime_error("the kernel survived its crash");
        }
    }
    throw std::runtime_error("no two copies of /proc/kpageflags agree");
}

} // namespace

int main() {
    try {
        hold_user_pages();
        silence_others();
        ::sync();
        crash();
    } catch (const std::exception &error) {
        std::fprintf(stderr, "crash_with_page_flags: %s\n", error.what());
        return 1;
    }
}
