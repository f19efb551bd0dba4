// SPDX-License-Identifier: GPL-2.0
#include <memory>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "ballast/commands.hpp"
#include "control/modules.hpp"

using ballast::control::Modules;

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
    });

    CLI::App *unload = ballast.add_subcommand("unload", "Unload a kernel module");
    unload->add_option("MODULE", arguments->module, "Its name")->required();
    unload->callback([arguments] {
        Modules().unload(arguments->module);
        fmt::print("{} unloaded\n", arguments->module);
    });
}
