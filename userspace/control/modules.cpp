// SPDX-License-Identifier: GPL-2.0
#include "control/modules.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdint>
#include <map>
#include <string_view>

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <libkmod.h>
#include <linux/capability.h>
#include <sys/utsname.h>

#include "control/error.hpp"
#include "control/file.hpp"
#include "control/module_errors.hpp"

namespace ballast::control {
namespace {

struct ModuleUnref {
    void operator()(kmod_module *module) const noexcept { kmod_module_unref(module); }
};
using Module = std::unique_ptr<kmod_module, ModuleUnref>;

struct ModuleListUnref {
    void operator()(kmod_list *list) const noexcept { kmod_module_unref_list(list); }
};
using ModuleList = std::unique_ptr<kmod_list, ModuleListUnref>;

struct InfoListFree {
    void operator()(kmod_list *list) const noexcept { kmod_module_info_free_list(list); }
};

/** modinfo's pairs; a key may come more than once. */
using ModuleInfo = std::multimap<std::string, std::string>;

// The messages are ours to write: libkmod's own go nowhere.
void ignore_log(void * /*data*/, int /*priority*/, const char * /*file*/, int /*line*/, const char * /*function*/,
                const char * /*format*/, va_list /*arguments*/) {}

bool is_path(const std::string &module) {
    return module.find('/') != std::string::npos || module.find(".ko") != std::string::npos;
}

Module find_by_path(kmod_ctx *context, const std::string &path) {
    open_file(path, O_RDONLY);
    kmod_module *module = nullptr;
    const int status = kmod_module_new_from_path(context, path.c_str(), &module);
    if (status < 0) {
        throw Error(static_cast<std::errc>(-status),
                    fmt::format("cannot open module file {}: {}", path, describe(-status)));
    }
    return Module(module);
}

Module find_by_name(kmod_ctx *context, const std::string &name) {
    kmod_list *list = nullptr;
    const int status = kmod_module_new_from_lookup(context, name.c_str(), &list);
    const ModuleList found(list);
    if (status < 0 || !found) {
        throw Error(std::errc::no_such_file_or_directory,
                    fmt::format("no module {} in {}: give the path of its .ko file, or install it and run depmod", name,
                                kmod_get_dirname(context)));
    }
    return Module(kmod_module_get_module(found.get()));
}

/** The module of that name, whether or not there is one. */
Module named(kmod_ctx *context, const std::string &name) {
    kmod_module *module = nullptr;
    const int status = kmod_module_new_from_name(context, name.c_str(), &module);
    if (status < 0) {
        throw Error(std::errc::invalid_argument, fmt::format("'{}' is not a module's name", name));
    }
    return Module(module);
}

/** Empty where the module file can't be read or is none: then the kernel is left to refuse it. */
ModuleInfo read_info(const kmod_module *module) {
    kmod_list *list = nullptr;
    kmod_module_get_info(module, &list);
    const std::unique_ptr<kmod_list, InfoListFree> entries(list);
    ModuleInfo info;
    for (const kmod_list *entry = list; entry != nullptr; entry = kmod_list_next(list, entry)) {
        info.emplace(kmod_module_info_get_key(entry), kmod_module_info_get_value(entry));
    }
    return info;
}

std::string_view before(std::string_view text, char separator) {
    return text.substr(0, text.find(separator));
}

// The kernel only warns of a parameter that it doesn't know, and loads the module without it.
void check_parameters(const std::string &module, const ModuleInfo &info, const std::vector<std::string> &parameters) {
    std::vector<std::string> known;
    const auto [begin, end] = info.equal_range("parmtype");
    for (auto type = begin; type != end; ++type) {
        known.emplace_back(before(type->second, ':'));
    }
    std::sort(known.begin(), known.end());
    for (const std::string &parameter : parameters) {
        const std::string_view name = before(parameter, '=');
        if (!info.empty() && std::find(known.begin(), known.end(), name) == known.end()) {
            throw Error(std::errc::invalid_argument,
                        known.empty() ? fmt::format("module {} takes no parameters, so not '{}'", module, name)
                                      : fmt::format("module {} has no parameter '{}': it has {}", module, name,
                                                    fmt::join(known, ", ")));
        }
    }
}

/** As the kernel parses them: separated by spaces, values that hold some in double quotes. */
std::string join_parameters(const std::vector<std::string> &parameters) {
    std::string joined;
    for (const std::string &parameter : parameters) {
        const bool quoted = parameter.find_first_of(" \t\n") != std::string::npos;
        joined += fmt::format("{}{}{}{}", joined.empty() ? "" : " ", quoted ? "\"" : "", parameter, quoted ? "\"" : "");
    }
    return joined;
}

bool may_load_modules() {
    const std::string status = read_text("/proc/self/status");
    constexpr std::string_view key = "CapEff:\t";
    const auto at = status.find(key);
    std::uint64_t effective = 0;
    if (at != std::string::npos) {
        std::from_chars(status.data() + at + key.size(), status.data() + status.size(), effective, 16);
    }
    return ((effective >> CAP_SYS_MODULE) & 1U) != 0;
}

/** The text of a file that not every kernel has. */
std::string read_if_there(const std::filesystem::path &path) {
    try {
        return read_text(path);
    } catch (const Error &) {
        return "";
    }
}

std::string kernel_release() {
    utsname name{};
    uname(&name);
    return static_cast<const char *>(name.release);
}

Error load_error(int error_number, const std::string &name, const ModuleInfo &info, bool with_parameters) {
    const auto vermagic = info.find("vermagic");
    const std::string lockdown = read_if_there("/sys/kernel/security/lockdown");
    return explain({.error_number = error_number,
                    .module = name,
                    .vermagic = vermagic == info.end() ? "" : vermagic->second,
                    .release = kernel_release(),
                    .with_parameters = with_parameters,
                    .privileged = may_load_modules(),
                    .modules_disabled = read_if_there("/proc/sys/kernel/modules_disabled") == "1\n",
                    .locked_down = !lockdown.empty() && lockdown.find("[none]") == std::string::npos});
}

std::string users_of(const kmod_module *module) {
    std::vector<std::string> users;
    const ModuleList holders(kmod_module_get_holders(module));
    for (const kmod_list *entry = holders.get(); entry != nullptr; entry = kmod_list_next(holders.get(), entry)) {
        const Module holder(kmod_module_get_module(entry));
        users.emplace_back(kmod_module_get_name(holder.get()));
    }
    if (!users.empty()) {
        return fmt::format("used by {}: unload that first", fmt::join(users, ", "));
    }
    return fmt::format("in use ({} references): close the programs that have its files open",
                       std::max(0, kmod_module_get_refcnt(module)));
}

Error unload_error(int error_number, const std::string &name, const kmod_module *module) {
    const auto error = [&](std::errc code, const std::string &reason) {
        return Error(code, fmt::format("cannot unload module {}: {}", name, reason));
    };
    switch (error_number) {
    case EAGAIN:
    case EBUSY:
        return error(std::errc::device_or_resource_busy, users_of(module));
    case ENOENT:
        return error(std::errc::no_such_file_or_directory, "it is not loaded");
    case EPERM:
        return error(std::errc::operation_not_permitted, "no permission: run it as root (CAP_SYS_MODULE)");
    case ENOSYS:
        return error(std::errc::function_not_supported, "the running kernel takes no modules");
    default:
        return error(static_cast<std::errc>(error_number), describe(error_number));
    }
}

} // namespace

void Modules::Unref::operator()(kmod_ctx *context) const noexcept {
    kmod_unref(context);
}

Modules::Modules() : Modules(std::filesystem::path{}) {}

Modules::Modules(const std::filesystem::path &folder)
    : context_(kmod_new(folder.empty() ? nullptr : folder.c_str(), nullptr)) {
    if (!context_) {
        throw Error(std::errc::not_enough_memory, "libkmod does not start: out of memory");
    }
    kmod_set_log_fn(context_.get(), ignore_log, nullptr);
}

void Modules::load(const std::string &module, const std::vector<std::string> &parameters) {
    const bool by_path = is_path(module);
    const Module found = by_path ? find_by_path(context_.get(), module) : find_by_name(context_.get(), module);
    const std::string name = kmod_module_get_name(found.get());
    if (kmod_module_get_initstate(found.get()) == KMOD_MODULE_BUILTIN) {
        throw Error(std::errc::file_exists, fmt::format("module {} is built into this kernel", name));
    }
    const ModuleInfo info = read_info(found.get());
    check_parameters(name, info, parameters);
    const std::string options = join_parameters(parameters);
    const int status = by_path ? kmod_module_insert_module(found.get(), 0, options.c_str())
                               : kmod_module_probe_insert_module(found.get(), KMOD_PROBE_FAIL_ON_LOADED,
                                                                 options.c_str(), nullptr, nullptr, nullptr);
    if (status != 0) {
        throw load_error(-status, name, info, !parameters.empty());
    }
}

void Modules::unload(const std::string &name) {
    const Module module = named(context_.get(), name);
    if (kmod_module_get_initstate(module.get()) == KMOD_MODULE_BUILTIN) {
        throw Error(std::errc::operation_not_permitted,
                    fmt::format("cannot unload module {}: it is built into this kernel", name));
    }
    const int status = kmod_module_remove_module(module.get(), KMOD_REMOVE_NOWAIT);
    if (status != 0) {
        throw unload_error(-status, name, module.get());
    }
}

bool Modules::is_loaded(const std::string &name) const {
    return kmod_module_get_initstate(named(context_.get(), name).get()) == KMOD_MODULE_LIVE;
}

} // namespace ballast::control
