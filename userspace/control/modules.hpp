// SPDX-License-Identifier: GPL-2.0
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

struct kmod_ctx;

namespace ballast::control {

/** Kernel modules: loads, unloads and asks about them, through libkmod. */
class Modules {
  public:
    /** Modules of the running kernel, as depmod indexed them. */
    Modules();
    /** Same, indexed in another folder than /lib/modules/RELEASE. */
    explicit Modules(const std::filesystem::path &folder);

    /**
     * Loads a module. By name, what it depends on is loaded before it, as modprobe does; by path, that file alone, as
     * insmod does.
     *
     * @param module a name, or the path of a .ko file: what holds a slash or ends in .ko is a path
     * @param parameters NAME=VALUE each
     * @throws Error file_exists: loaded already; no_such_file_or_directory: no such module; operation_not_permitted: no
     *   right to, or lockdown; executable_format_error: built for another kernel; invalid_argument: a parameter that
     * the module lacks or refuses; others as the kernel gives them
     */
    void load(const std::string &module, const std::vector<std::string> &parameters = {});

    /**
     * Unloads a module; what it depends on stays.
     *
     * @throws Error no_such_file_or_directory: not loaded; device_or_resource_busy: in use; operation_not_permitted
     */
    void unload(const std::string &name);

    /** Is the module in the kernel and past its init? */
    [[nodiscard]] bool is_loaded(const std::string &name) const;

  private:
    struct Unref {
        void operator()(kmod_ctx *context) const noexcept;
    };

    std::unique_ptr<kmod_ctx, Unref> context_;
};

} // namespace ballast::control
