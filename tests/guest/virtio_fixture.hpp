// SPDX-License-Identifier: GPL-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "control/balloon.hpp"
#include "loaded.hpp"

namespace ballast::guest {

/** What a device offers, virtio specification 5.5.3. */
constexpr unsigned must_tell_host = 1U << 0;
constexpr unsigned statistics_queue = 1U << 1;
constexpr unsigned deflate_on_oom = 1U << 2;
constexpr unsigned free_page_hint = 1U << 3;
constexpr unsigned page_poison = 1U << 4;
constexpr unsigned reporting = 1U << 5;
constexpr unsigned all_features =
    must_tell_host | statistics_queue | deflate_on_oom | free_page_hint | page_poison | reporting;

/** The host's side of one or more balloon devices: the test module balloon_host, which watches the driver. */
class Host {
  public:
    explicit Host(unsigned features = 0, unsigned devices = 1);

    /** What each balloon is to have, in pages. */
    void set_target(std::uint64_t pages) const { set("target", pages); }

    /** Same, and waits until the drivers have told it that they have it. */
    void resize(std::uint64_t pages) const;

    /** The sizes in pages that the drivers told. */
    [[nodiscard]] std::vector<std::uint64_t> actual() const;

    void set(const std::string &parameter, std::uint64_t value) const;
    [[nodiscard]] std::uint64_t get(const std::string &parameter) const;

    /** The devices' names, such as virtio3. */
    [[nodiscard]] static std::vector<std::string> devices();

    void unload() { module_.unload(); }

  private:
    std::filesystem::path parameters_ = "/sys/module/balloon_host/parameters";
    Loaded module_;
};

/** The balloon of the first device. */
control::Balloon virtio_balloon();

/** The driver that has a device; empty: none. */
std::string driver_of(const std::string &device);

/** Has balloon_kvm take a device or let go of it. */
void bind(const std::string &device);
void unbind(const std::string &device);

} // namespace ballast::guest
