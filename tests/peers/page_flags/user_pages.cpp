// SPDX-License-Identifier: GPL-2.0
#include "user_pages.hpp"

#include <array>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <span>
#include <stdexcept>
#include <string>
#include <sys/mman.h>
#include <sys/wait.h>
#include <system_error>
#include <thread>
#include <unistd.h>

namespace {

constexpr std::size_t page_size = 4096;
constexpr std::size_t huge_size = std::size_t{2} << 20;

using Memory = std::span<std::byte>;

std::system_error failure(const std::string &what) {
    return {errno, std::generic_category(), what};
}

/** Memory that stays until the program ends. */
Memory map(std::size_t size, int flags, int file = -1) {
    void *address = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, flags, file, 0);
    if (address == MAP_FAILED) {
        throw failure("mmap");
    }
    return {static_cast<std::byte *>(address), size};
}

Memory aligned_to_huge(Memory memory) {
    const auto address = reinterpret_cast<std::uintptr_t>(memory.data());
    const std::size_t skip = (huge_size - address % huge_size) % huge_size;
    return memory.subspan(skip, (memory.size() - skip) / huge_size * huge_size);
}

void advise(Memory memory, int advice, const std::string &what) {
    if (::madvise(memory.data(), memory.size(), advice) != 0) {
        throw failure(what);
    }
}

/** Gives each page content that no other has, but zeros to each eighth. */
void fill(Memory memory) {
    for (std::size_t offset = 0; offset < memory.size(); offset += page_size) {
        const std::size_t number = offset / page_size % 8 == 7 ? 0 : offset + 1;
        std::memcpy(&memory[offset], &number, sizeof number);
    }
}

std::uint64_t number_in(const std::string &file, const std::string &key = "") {
    std::ifstream stream(file);
    std::string word;
    std::uint64_t number = 0;
    while (!key.empty() && stream >> word && word != key) {
    }
    stream >> number;
    return number;
}

template<typename Condition>
void wait_for(const std::string &what, Condition condition) {
    using namespace std::chrono_literals;
    const auto end = std::chrono::steady_clock::now() + 60s;
    while (!condition()) {
        if (std::chrono::steady_clock::now() > end) {
            throw std::runtime_error("the kernel has no " + what);
        }
        std::this_thread::sleep_for(100ms);
    }
}

/**
 * Has a process of its own take memory and break one page in it, as a memory error would. The kernel may kill that
 * process; its page stays broken.
 */
template<typename TakePage>
void break_page(TakePage take_page) {
    std::array<int, 2> done{};
    if (::pipe2(done.data(), O_CLOEXEC) != 0) {
        throw failure("pipe");
    }
    const pid_t process = ::fork();
    if (process == 0) {
        const Memory page = take_page().first(page_size);
        const bool broken = ::madvise(page.data(), page.size(), MADV_HWPOISON) == 0;
        static_cast<void>(::write(done[1], "", broken ? 1 : 0));
        ::pause();
    }
    ::close(done[1]);
    char byte = 0;
    const bool is_told = ::read(done[0], &byte, 1) == 1;
    int status = 0;
    if (process < 0 || (!is_told && (::waitpid(process, &status, 0) != process || !WIFSIGNALED(status)))) {
        throw std::runtime_error("the kernel breaks no page");
    }
    ::close(done[0]);
}

Memory take_small_pages(std::size_t size) {
    const Memory memory = map(size, MAP_PRIVATE | MAP_ANONYMOUS);
    advise(memory, MADV_NOHUGEPAGE, "MADV_NOHUGEPAGE");
    fill(memory);
    return memory;
}

Memory take_huge_pages(std::size_t size) {
    const Memory memory = aligned_to_huge(map(size, MAP_PRIVATE | MAP_ANONYMOUS));
    advise(memory, MADV_HUGEPAGE, "MADV_HUGEPAGE");
    fill(memory);
    return memory;
}

Memory take_hugetlb_pages(std::size_t size) {
    const Memory memory = map(size, MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB);
    fill(memory);
    return memory;
}

void hold_merged_pages() {
    const Memory memory = map(std::size_t{2} << 20, MAP_PRIVATE | MAP_ANONYMOUS);
    advise(memory, MADV_NOHUGEPAGE, "MADV_NOHUGEPAGE");
    std::memset(memory.data(), 'k', memory.size());
    advise(memory, MADV_MERGEABLE, "MADV_MERGEABLE");
    std::ofstream("/sys/kernel/mm/ksm/pages_to_scan") << 1000 << std::flush;
    std::ofstream("/sys/kernel/mm/ksm/run") << 1 << std::flush;
    wait_for("merged pages", [] { return number_in("/sys/kernel/mm/ksm/pages_sharing") > 0; });
    std::ofstream("/sys/kernel/mm/ksm/run") << 0 << std::flush;
}

/** Writes pages to swap and reads them back, which leaves them in both. */
void hold_swapped_pages() {
    const int shared = ::memfd_create("swapped", 0);
    if (shared < 0 || ::ftruncate(shared, std::int64_t{4} << 20) != 0) {
        throw failure("memfd_create");
    }
    for (const Memory memory :
         {map(std::size_t{4} << 20, MAP_PRIVATE | MAP_ANONYMOUS), map(std::size_t{4} << 20, MAP_SHARED, shared)}) {
        advise(memory, MADV_NOHUGEPAGE, "MADV_NOHUGEPAGE");
        fill(memory);
        advise(memory, MADV_PAGEOUT, "MADV_PAGEOUT");
        for (std::size_t offset = 0; offset < memory.size(); offset += page_size) {
            static_cast<void>(*static_cast<volatile std::byte *>(&memory[offset]));
        }
    }
    wait_for("pages in the swap cache", [] { return number_in("/proc/meminfo", "SwapCached:") > 0; });
}

} // namespace

void hold_user_pages() {
    hold_swapped_pages();
    take_small_pages(std::size_t{16} << 20);
    take_huge_pages(8 * huge_size);
    wait_for("anonymous huge pages", [] { return number_in("/proc/meminfo", "AnonHugePages:") > 0; });
    take_hugetlb_pages(2 * huge_size);
    hold_merged_pages();
    break_page([] { return take_small_pages(page_size); });
    break_page([] { return take_huge_pages(2 * huge_size).subspan(5 * page_size); });
    break_page([] { return take_hugetlb_pages(huge_size); });
}
