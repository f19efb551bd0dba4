// SPDX-License-Identifier: GPL-2.0
#include "control/balloon.hpp"

#include <algorithm>
#include <cerrno>
#include <limits>

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "balloon/balloon_kvm_ioctl.h"
#include "control/error.hpp"
#include "control/size.hpp"

namespace ballast::control {
namespace {

using Clock = std::chrono::steady_clock;

std::uint64_t page_size() {
    return static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
}

std::uint64_t machine_memory() {
    return static_cast<std::uint64_t>(sysconf(_SC_PHYS_PAGES)) * page_size();
}

std::uint64_t distance(std::uint64_t a, std::uint64_t b) {
    return a > b ? a - b : b - a;
}

/** One wait for one balloon: what it has seen so far. */
class Watch {
  public:
    Watch(const Balloon &balloon, const WaitOptions &options)
        : balloon_(balloon), options_(options), before_(balloon.status()), now_(before_) {}

    void run() {
        // Waking on size_pages: the module notifies it at each change.
        const std::filesystem::path attribute = balloon_.group() / "size_pages";
        const FileDescriptor size = open_file(attribute, O_RDONLY);
        while (true) {
            read_text(size, attribute);
            update();
            if (now_.size_pages == now_.target_pages) {
                return;
            }
            give_up_when_due();
            pollfd wake{.fd = size.get(), .events = POLLPRI, .revents = 0};
            poll(&wake, 1, static_cast<int>(options_.tick.count()));
        }
    }

  private:
    void update() {
        const std::uint64_t last_size = now_.size_pages;
        now_ = balloon_.status();
        if (now_.size_pages != last_size) {
            moved_ = Clock::now();
        }
        fail_if_retargeted();
        if (options_.report) {
            options_.report(progress());
        }
    }

    [[nodiscard]] BalloonProgress progress() const {
        const std::chrono::duration<double> elapsed = Clock::now() - begin_;
        const auto moved = static_cast<double>(distance(now_.size_bytes, before_.size_bytes));
        const auto remaining = static_cast<double>(distance(now_.target_bytes, now_.size_bytes));
        BalloonProgress progress;
        progress.size_bytes = now_.size_bytes;
        progress.target_bytes = now_.target_bytes;
        if (moved > 0 && elapsed.count() > 0) {
            progress.bytes_per_second = moved / elapsed.count();
            progress.left = std::chrono::seconds(static_cast<long>(remaining / progress.bytes_per_second));
        }
        return progress;
    }

    // The module itself lowers the target when the machine runs out of memory, and the balloon would seem to have got
    // there.
    void fail_if_retargeted() const {
        if (now_.target_pages != before_.target_pages) {
            throw Error(
                std::errc::operation_canceled,
                fmt::format("the target of balloon {} was changed from {} to {} meanwhile: by someone else, or the "
                            "machine ran out of memory (see `dmesg`)",
                            balloon_.name(), format_size(before_.target_bytes), format_size(now_.target_bytes)));
        }
    }

    void give_up_when_due() const {
        const auto now = Clock::now();
        if (now - moved_ >= options_.no_progress_limit) {
            give_up("made no progress for", options_.no_progress_limit);
        }
        if (options_.time_limit && now - begin_ >= *options_.time_limit) {
            give_up("did not reach its target in", *options_.time_limit);
        }
    }

    [[noreturn]] void give_up(std::string_view what, std::chrono::milliseconds limit) const {
        const std::uint64_t failed = now_.inflate_failed - before_.inflate_failed;
        const std::string reason =
            failed > 0 ? fmt::format("the kernel had no memory to give {} times: set a lower target", failed)
                       : std::string("wait longer, or see `dmesg`");
        throw Error(std::errc::timed_out,
                    fmt::format("balloon {} {} {} s, at {} of {}: {}", balloon_.name(), what,
                                static_cast<double>(limit.count()) / 1000, format_size(now_.size_bytes),
                                format_size(now_.target_bytes), reason));
    }

    const Balloon &balloon_;
    const WaitOptions &options_;
    const Clock::time_point begin_ = Clock::now();
    Clock::time_point moved_ = begin_;
    const BalloonStatus before_;
    BalloonStatus now_;
};

} // namespace

Balloon::Balloon(std::filesystem::path group) : group_(std::move(group)) {}

std::vector<Balloon> Balloon::find_all(const std::filesystem::path &sysfs) {
    std::vector<Balloon> found;
    std::error_code none;
    for (const char *devices : {"class/misc", "bus/virtio/devices"}) {
        for (const auto &device : std::filesystem::directory_iterator(sysfs / devices, none)) {
            const auto group = device.path() / "balloon";
            if (std::filesystem::exists(group / "target_pages", none)) {
                found.emplace_back(group);
            }
        }
    }
    std::sort(found.begin(), found.end(), [](const Balloon &a, const Balloon &b) { return a.name() < b.name(); });
    return found;
}

Balloon Balloon::find(const std::string &name, const std::filesystem::path &sysfs) {
    const std::vector<Balloon> all = find_all(sysfs);
    if (all.empty()) {
        throw Error(std::errc::no_such_device, "this machine has no balloon: `ballast load balloon_kvm` first");
    }
    if (name.empty() && all.size() == 1) {
        return all.front();
    }
    const auto named = std::find_if(all.begin(), all.end(), [&](const Balloon &one) { return one.name() == name; });
    if (named != all.end()) {
        return *named;
    }
    std::vector<std::string> names;
    std::transform(all.begin(), all.end(), std::back_inserter(names), [](const Balloon &one) { return one.name(); });
    if (name.empty()) {
        throw Error(std::errc::invalid_argument,
                    fmt::format("this machine has several balloons ({}): name one", fmt::join(names, ", ")));
    }
    throw Error(std::errc::no_such_device,
                fmt::format("this machine has no balloon {}: it has {}", name, fmt::join(names, ", ")));
}

BalloonStatus Balloon::status() const {
    const auto read = [&](const char *attribute) { return read_number(group_ / attribute); };
    const auto read_if_there = [&](const char *attribute) -> std::optional<std::uint64_t> {
        if (!std::filesystem::exists(group_ / attribute)) {
            return std::nullopt;
        }
        return read(attribute);
    };
    return BalloonStatus{
        .target_bytes = read("target_bytes"),
        .target_pages = read("target_pages"),
        .size_bytes = read("size_bytes"),
        .size_pages = read("size_pages"),
        .inflated = read("inflated"),
        .deflated = read("deflated"),
        .isolated = read_if_there("isolated"),
        .migrated = read("migrated"),
        .putback = read_if_there("putback"),
        .inflate_failed = read("inflate_failed"),
        .isolated_now = read("isolated_now"),
        .min_free_bytes = read("min_free_bytes"),
        .min_free_stops = read("min_free_stops"),
        .huge_now = read("huge_now"),
        .huge_fallback = read("huge_fallback"),
        .huge_split = read("huge_split"),
        .content_errors = read_if_there("content_errors"),
    };
}

void Balloon::set_target_pages(std::uint64_t pages) const {
    const std::uint64_t most = std::numeric_limits<std::uint64_t>::max() / page_size();
    set_target("target_pages", pages, std::min(pages, most) * page_size());
}

bool Balloon::host_sets_target() const {
    using std::filesystem::perms;
    return (std::filesystem::status(group_ / "target_pages").permissions() & perms::owner_write) == perms::none;
}

void Balloon::set_target(const std::string &attribute, std::uint64_t value, std::uint64_t bytes) const {
    if (host_sets_target()) {
        throw Error(std::errc::operation_not_permitted,
                    fmt::format("cannot set the target of balloon {}: it is the host's to set (in QEMU's monitor: "
                                "`balloon N`, the MiB that this machine is to keep)",
                                name()));
    }
    try {
        write_text(group_ / attribute, std::to_string(value));
    } catch (const Error &error) {
        const auto fail = [&](std::string_view why) {
            return Error(error.code(),
                         fmt::format("cannot set the target of balloon {} to {}: {}", name(), format_size(bytes), why));
        };
        switch (error.code()) {
        case std::errc::result_out_of_range:
            throw fail(fmt::format("this machine has {} of memory, the balloon's included",
                                   format_size(machine_memory() + read_number(group_ / "size_bytes"))));
        case std::errc::permission_denied:
            throw fail("no permission: run it as root");
        default:
            throw fail(describe(error.code()));
        }
    }
}

void Balloon::wait(const WaitOptions &options) const {
    Watch(*this, options).run();
}

std::uint64_t Balloon::check_content() const {
    const auto errors = group_ / "content_errors";
    if (!std::filesystem::exists(errors)) {
        throw Error(std::errc::not_supported,
                    fmt::format("balloon {} does not check its pages' content: `ballast unload balloon_kvm`, then "
                                "`ballast load balloon_kvm check_content=1`",
                                name()));
    }
    const std::uint64_t before = read_number(errors);
    write_text(group_ / "check_now", "1");
    return read_number(errors) - before;
}

FileDescriptor Balloon::open_inode() const {
    const std::filesystem::path node = "/dev/balloon-kvm";
    const FileDescriptor device = open_file(node, O_RDWR);
    balloon_kvm_name wanted{};
    name().copy(static_cast<char *>(wanted.device), sizeof(wanted.device) - 1);
    const int fd = ioctl(device.get(), BALLOON_KVM_GET_FD_OF, &wanted);
    if (fd < 0) {
        throw Error(static_cast<std::errc>(errno), fmt::format("{} gives no file descriptor for balloon {}: {}",
                                                               node.native(), name(), describe(errno)));
    }
    return FileDescriptor(fd);
}

} // namespace ballast::control
