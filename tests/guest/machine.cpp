// SPDX-License-Identifier: GPL-2.0
#include "machine.hpp"

#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <fstream>

#include <catch2/catch_test_macros.hpp>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "control/error.hpp"

namespace ballast::guest {

using control::read_text;
using control::write_text;

namespace {

constexpr std::uint64_t hole = 16 << 10;
constexpr std::uint64_t page_size = 4096;

std::uint64_t parse(std::string_view text) {
    const auto digits = text.find_first_of("0123456789");
    if (digits == std::string_view::npos) {
        throw control::Error(std::errc::bad_message, std::string(text) + ": no number");
    }
    std::uint64_t number = 0;
    std::from_chars(text.data() + digits, text.data() + text.size(), number);
    return number;
}

std::uint64_t read_hex(const std::filesystem::path &path) {
    return std::stoull(read_text(path), nullptr, 16);
}

} // namespace

std::uint64_t number_of(const std::filesystem::path &file, std::string_view key) {
    std::ifstream stream(file);
    for (std::string line; std::getline(stream, line);) {
        if (line.starts_with(key)) {
            return parse(std::string_view(line).substr(key.size()));
        }
    }
    throw control::Error(std::errc::bad_message, file.string() + " has no " + std::string(key));
}

std::uint64_t memory(std::string_view key) {
    return number_of("/proc/meminfo", std::string(key) + ":") << 10;
}

std::uint64_t free_memory() {
    std::uint64_t pages = 0;
    std::ifstream zones("/proc/zoneinfo");
    for (std::string line; std::getline(zones, line);) {
        const auto key = line.find("count: ");
        if (key != std::string::npos && line.find_first_not_of(' ') == key) {
            pages += parse(std::string_view(line).substr(key));
        }
    }
    return memory("MemFree") + pages * page_size;
}

std::uint64_t event(std::string_view name) {
    return number_of("/proc/vmstat", std::string(name) + " ");
}

std::vector<std::uint64_t> managed_pages() {
    constexpr std::string_view key = "        managed ";
    std::vector<std::uint64_t> pages;
    std::ifstream zones("/proc/zoneinfo");
    for (std::string line; std::getline(zones, line);) {
        if (line.starts_with(key)) {
            pages.push_back(parse(std::string_view(line).substr(key.size())));
        }
    }
    REQUIRE(!pages.empty());
    return pages;
}

bool holds_line_with(const std::filesystem::path &file, std::string_view text) {
    std::ifstream stream(file);
    REQUIRE(stream.is_open());
    for (std::string line; std::getline(stream, line);) {
        if (line.find(text) != std::string::npos) {
            return true;
        }
    }
    return false;
}

bool kernel_is_before(unsigned major, unsigned minor) {
    utsname name{};
    REQUIRE(uname(&name) == 0);
    const std::string_view release(name.release);
    const std::uint64_t running_major = parse(release);
    const std::uint64_t running_minor = parse(release.substr(release.find('.')));
    return running_major < major || (running_major == major && running_minor < minor);
}

NewLogLines::NewLogLines() : file_(control::open_file("/dev/kmsg", O_RDONLY | O_NONBLOCK)) {
    REQUIRE(lseek(file_.get(), 0, SEEK_END) == 0);
}

std::uint64_t NewLogLines::with(std::string_view text) {
    // Each read gives one line, and as much as any line has.
    std::array<char, 8192> line{};
    std::uint64_t lines = 0;
    for (;;) {
        const ssize_t length = read(file_.get(), line.data(), line.size());
        if (length < 0) {
            REQUIRE(errno == EAGAIN);
            return lines;
        }
        const std::string_view said(line.data(), static_cast<std::size_t>(length));
        lines += said.find(text) == std::string_view::npos ? 0 : 1;
    }
}

void compact_memory() {
    write_text("/proc/sys/vm/compact_memory", "1");
}

void drop_caches() {
    write_text("/proc/sys/vm/drop_caches", "3");
}

void stop_background_compaction() {
    write_text("/proc/sys/vm/compaction_proactiveness", "0");
}

bool allocate_in_process(std::uint64_t bytes) {
    constexpr std::uint64_t piece = 1 << 20;
    const pid_t child = fork();
    if (child == 0) {
        std::ofstream("/proc/self/oom_score_adj") << 1000;
        // In pieces, since the kernel refuses a mapping of more than all that it has outside the balloon.
        for (std::uint64_t got = 0; got < bytes; got += piece) {
            if (mmap(nullptr, piece, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0) ==
                MAP_FAILED) {
                _exit(1);
            }
        }
        _exit(0);
    }
    int status = 0;
    if (child < 0 || waitpid(child, &status, 0) != child) {
        throw control::Error(static_cast<std::errc>(errno), "cannot run a process");
    }
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

void wait_until(const std::function<bool()> &condition) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::minutes(2);
    while (!condition()) {
        REQUIRE(std::chrono::steady_clock::now() < deadline);
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
}

Background::Background(std::function<void()> action)
    : thread_([action = std::move(action)](const std::stop_token &stop) {
          while (!stop.stop_requested()) {
              try {
                  action();
              } catch (const control::Error &) {
                  continue;
              }
          }
      }) {}

std::vector<MemoryBlock> MemoryBlock::find_movable() {
    std::vector<MemoryBlock> blocks;
    for (const auto &entry : std::filesystem::directory_iterator("/sys/devices/system/memory")) {
        if (!std::filesystem::exists(entry.path() / "valid_zones") ||
            !read_text(entry.path() / "valid_zones").starts_with("Movable")) {
            continue;
        }
        const MemoryBlock block(entry.path());
        try {
            block.set_offline();
            block.set_online();
            blocks.push_back(block);
        } catch (const control::Error &) {
            continue;
        }
    }
    INFO("boot with kernelcore=40% and 1 GiB");
    REQUIRE_FALSE(blocks.empty());
    return blocks;
}

MemoryBlock::MemoryBlock(std::filesystem::path folder)
    : folder_(std::move(folder)),
      page_frames_(read_hex(folder_.parent_path() / "block_size_bytes") /
                   static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE))),
      first_page_frame_(read_hex(folder_ / "phys_index") * page_frames_) {}

void MemoryBlock::set_state(std::string_view state) const {
    write_text(folder_ / "state", state);
}

void MemoryBlock::set_online_again() const {
    try {
        set_online();
    } catch (const control::Error &error) {
        // The kernel refuses to bring online what is.
        CHECK(error.code() == std::errc::invalid_argument);
    }
}

HoledMemory::HoledMemory()
    : size_(memory("MemAvailable") / 2 / (2 * hole) * (2 * hole)), file_(memfd_create("holes", MFD_CLOEXEC)) {
    REQUIRE(file_.get() >= 0);
    const std::string content(hole, 'x');
    for (std::uint64_t offset = 0; offset < size_; offset += hole) {
        REQUIRE(pwrite(file_.get(), content.data(), hole, static_cast<off_t>(offset)) == hole);
    }
    for (std::uint64_t offset = 0; offset < size_; offset += 2 * hole) {
        REQUIRE(fallocate(file_.get(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, static_cast<off_t>(offset), hole) ==
                0);
    }
}

} // namespace ballast::guest
