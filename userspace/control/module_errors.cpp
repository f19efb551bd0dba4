// SPDX-License-Identifier: GPL-2.0
#include "control/module_errors.hpp"

#include <cerrno>

#include <fmt/format.h>

namespace ballast::control {
namespace {

std::string why_not_permitted(const LoadFailure &failure) {
    if (!failure.privileged) {
        return "no permission: run it as root (CAP_SYS_MODULE)";
    }
    if (failure.modules_disabled) {
        return "modules are turned off until the next boot (/proc/sys/kernel/modules_disabled)";
    }
    if (failure.locked_down) {
        return "the kernel is locked down and takes signed modules only: sign it with a key that the kernel trusts";
    }
    return "the kernel forbids it, by lockdown or a security policy: see `dmesg`";
}

std::string why_wrong_format(const LoadFailure &failure) {
    const std::string built_for = failure.vermagic.substr(0, failure.vermagic.find(' '));
    if (built_for.empty()) {
        return "not a module of this kernel: see `dmesg`";
    }
    if (built_for == failure.release) {
        return fmt::format("built against other headers than those of the running kernel {} ({}): see `dmesg`, then "
                           "build it again",
                           failure.release, failure.vermagic);
    }
    return fmt::format("built for kernel {}, and this is {}: build it again with `make modules "
                       "KDIR=/lib/modules/{}/build`",
                       built_for, failure.release, failure.release);
}

std::string why(const LoadFailure &failure) {
    switch (failure.error_number) {
    case EEXIST:
        return fmt::format("already loaded: `ballast unload {}` first, to load it anew", failure.module);
    case EPERM:
    case EACCES:
        return why_not_permitted(failure);
    case ENOEXEC:
        return why_wrong_format(failure);
    case EKEYREJECTED:
    case ENOKEY:
    case EBADMSG:
        return "its signature was refused: sign it with a key that the kernel trusts";
    case ENOENT:
        return "it needs a symbol that the kernel does not have: see `dmesg`";
    case EINVAL:
        return failure.with_parameters ? "a parameter's value was refused: see `dmesg`"
                                       : "it is not a module, or it refuses this machine: see `dmesg`";
    case ENOSYS:
        return fmt::format("the running kernel {} takes no modules", failure.release);
    default:
        return fmt::format("{}: see `dmesg`", describe(failure.error_number));
    }
}

} // namespace

Error explain(const LoadFailure &failure) {
    return {static_cast<std::errc>(failure.error_number),
            fmt::format("cannot load module {}: {}", failure.module, why(failure))};
}

} // namespace ballast::control
