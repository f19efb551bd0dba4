// SPDX-License-Identifier: GPL-2.0
#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "control/balloon.hpp"
#include "control/error.hpp"
#include "control/modules.hpp"

namespace ballast::guest {

constexpr std::uint64_t page_size = 4096;
constexpr std::uint64_t mib = 1 << 20;

/** The module, loaded for one test; a test that unloads it by itself checks what is left. */
class LoadedBalloon {
  public:
    explicit LoadedBalloon(const std::vector<std::string> &parameters = {}) {
        modules_.load("balloon_kvm", parameters);
        balloon_ = control::Balloon::find("balloon-kvm");
    }
    LoadedBalloon(const LoadedBalloon &) = delete;
    LoadedBalloon(LoadedBalloon &&) = delete;
    LoadedBalloon &operator=(const LoadedBalloon &) = delete;
    LoadedBalloon &operator=(LoadedBalloon &&) = delete;
    ~LoadedBalloon() {
        try {
            if (modules_.is_loaded("balloon_kvm")) {
                modules_.unload("balloon_kvm");
            }
        } catch (const control::Error &error) {
            FAIL_CHECK(error.what());
        }
    }

    void unload() { modules_.unload("balloon_kvm"); }

    [[nodiscard]] const control::Balloon &get() const { return *balloon_; }

    /** Sets the size and waits until it is reached. */
    void resize(std::uint64_t bytes) const {
        balloon_->set_target_bytes(bytes);
        balloon_->wait(patient);
        REQUIRE(balloon_->status().size_bytes == bytes / page_size * page_size);
    }

    /** False where the kernel's own balloon does that: it leaves blocks alone, and does not tell us. */
    [[nodiscard]] bool isolates_pages() const { return balloon_->status().isolated.has_value(); }

    [[nodiscard]] std::filesystem::path attribute(const std::string &name) const { return get().group() / name; }

    /** The machines that run tests may be slow; no test waits this long for what works. */
    inline static const control::WaitOptions patient{.time_limit = std::chrono::minutes(3),
                                                     .no_progress_limit = std::chrono::minutes(1),
                                                     .tick = std::chrono::milliseconds(100),
                                                     .report = {}};

  private:
    control::Modules modules_;
    std::optional<control::Balloon> balloon_;
};

} // namespace ballast::guest
