// SPDX-License-Identifier: GPL-2.0
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "ballast/commands.hpp"
#include "control/modules.hpp"
#include "control/virtio_balloon.hpp"

using ballast::control::Modules;

namespace {

constexpr std::string_view balloon_module = "balloon_kvm";

/** How to hand a device over to balloon_kvm, which leaves alone what another driver has. */
void tell_of_other_drivers() {
    for (const auto &device : ballast::control::find_virtio_balloons()) {
        if (!device.driver.empty() && device.driver != balloon_module) {
            fmt::print("the host's balloon {0} stays with {1}; to hand it over:\n"
                       "  echo {0} > /sys/bus/virtio/drivers/{1}/unbind\n"
                       "  echo {0} > /sys/bus/virtio/drivers/{2}/bind\n",
                       device.name, device.driver, balloon_module);
        }
    }
}

} // namespace

void add_module_commands(CLI::App &ballast) {
    struct Arguments {
        std::string module;
        std::vector<std::string> parameters;
    };
    const auto arguments = std::make_shared<Arguments>();

    CLI::App *load = ballast.add_subcommand("load", "Load a kernel module");
    load->add_option("MODULE", arguments->module, "Its name (balloon_kvm, cpuacct), or the path of its .ko file")
        ->required();
    load->add_option("PARAMETER", arguments->parameters, "Its parameters, each as NAME=VALUE");
    load->callback([arguments] {
        Modules().load(arguments->module, arguments->parameters);
        fmt::print("{} loaded\n", arguments->module);
        if (std::filesystem::path(arguments->module).stem() == balloon_module) {
            tell_of_other_drivers();
        }
    });

    CLI::App *unload = ballast.add_subcommand("unload", "Unload a kernel module");
    unload->add_option("MODULE", arguments->module, "Its name")->required();
    unload->callback([arguments] {
        Modules().unload(arguments->module);
        fmt::print("{} unloaded\n", arguments->module);
    });
}
