// SPDX-License-Identifier: GPL-2.0
#pragma once

#include <CLI/App.hpp>

// Each adds its sub-commands to `ballast`. They do their work in CLI11's callbacks, throw control::Error when it fails
// and CLI::ValidationError when an argument is wrong.
void add_module_commands(CLI::App &ballast);
void add_balloon_commands(CLI::App &ballast);
void add_cgroup_commands(CLI::App &ballast);
