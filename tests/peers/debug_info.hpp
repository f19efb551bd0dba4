// SPDX-License-Identifier: GPL-2.0
#pragma once

#include <catch2/catch_test_macros.hpp>
#include <cstdlib>
#include <filesystem>
#include <string>

namespace ballast::peers {

/** Where scripts/vmlinux put the vmlinux of the kernel under test; skips the test where it isn't there. */
inline std::string require_vmlinux() {
    const char *cache = std::getenv("XDG_CACHE_HOME");
    const char *home = std::getenv("HOME");
    const std::filesystem::path folder =
        cache != nullptr ? std::filesystem::path(cache) : std::filesystem::path(home != nullptr ? home : "") / ".cache";
    const std::string release = BALLAST_KERNEL_RELEASE;
    const auto path = folder / "ballast/debug" / release / "usr/lib/debug/boot" / ("vmlinux-" + release);
    if (!std::filesystem::exists(path)) {
        SKIP("there is no " << path.native() << "; scripts/vmlinux fetches it (1 GB)");
    }
    return path;
}

} // namespace ballast::peers
