// SPDX-License-Identifier: GPL-2.0
#include "control/balloon.hpp"

#include <charconv>
#include <cmath>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "ballast/commands.hpp"
#include "ballast/progress.hpp"
#include "control/error.hpp"
#include "control/size.hpp"

using namespace ballast::control;

namespace {

struct Arguments {
    std::string device;
    std::string size;
    std::string pages;
    double timeout = 0;
    bool wait = false;
    bool json = false;
};

/** A counter that not every balloon has. */
nlohmann::ordered_json to_json(const std::optional<std::uint64_t> &counter) {
    return counter ? nlohmann::ordered_json(*counter) : nlohmann::ordered_json(nullptr);
}

nlohmann::ordered_json to_json(const Balloon &balloon) {
    const BalloonStatus status = balloon.status();
    return {
        {"name", balloon.name()},
        {"host_sets_target", balloon.host_sets_target()},
        {"target_bytes", status.target_bytes},
        {"target_pages", status.target_pages},
        {"size_bytes", status.size_bytes},
        {"size_pages", status.size_pages},
        {"inflated", status.inflated},
        {"deflated", status.deflated},
        {"isolated", to_json(status.isolated)},
        {"migrated", status.migrated},
        {"putback", to_json(status.putback)},
        {"inflate_failed", status.inflate_failed},
        {"isolated_now", status.isolated_now},
        {"min_free_bytes", status.min_free_bytes},
        {"min_free_stops", status.min_free_stops},
        {"huge_now", status.huge_now},
        {"huge_fallback", status.huge_fallback},
        {"huge_split", status.huge_split},
        {"content_errors", to_json(status.content_errors)},
    };
}

std::string_view activity(const BalloonStatus &status) {
    if (status.size_pages == status.target_pages) {
        return "target reached";
    }
    return status.size_pages < status.target_pages ? "inflating" : "deflating";
}

void print(const Balloon &balloon) {
    const BalloonStatus status = balloon.status();
    fmt::print("balloon {}: {}\n", balloon.name(), activity(status));
    fmt::print("  target          {:>10}  {:>10} pages{}\n", format_size(status.target_bytes), status.target_pages,
               balloon.host_sets_target() ? ", set by the host" : "");
    fmt::print("  size            {:>10}  {:>10} pages\n", format_size(status.size_bytes), status.size_pages);
    fmt::print("  min free        {:>10}  left to the machine; inflation stopped there {} times\n",
               format_size(status.min_free_bytes), status.min_free_stops);
    const auto count = [](const char *name, std::uint64_t pages, const char *meaning) {
        fmt::print("  {:<26}  {:>10} pages {}\n", name, pages, meaning);
    };
    const auto count_blocks = [](const char *name, std::uint64_t blocks, const char *meaning) {
        fmt::print("  {:<26}  {:>10} blocks {}\n", name, blocks, meaning);
    };
    count("inflated", status.inflated, "taken from the kernel since the module was loaded");
    count("deflated", status.deflated, "given back");
    const auto count_if_seen = [&](const char *name, const std::optional<std::uint64_t> &pages, const char *meaning,
                                   const char *unseen) {
        if (pages) {
            count(name, *pages, meaning);
        } else {
            fmt::print("  {:<26}  {:>10}\n", name, unseen);
        }
    };
    const char *const unseen = "not observable (the kernel's own balloon moves the pages)";
    count_if_seen("isolated", status.isolated, "taken up by the kernel in order to move them", unseen);
    count("migrated", status.migrated, "moved");
    count_if_seen("putback", status.putback, "put back unmoved", unseen);
    count("isolated now", status.isolated_now, "");
    count("inflate failed", status.inflate_failed, "that the kernel could not give");
    count_blocks("huge now", status.huge_now, "of 2 MiB in the balloon");
    count_blocks("huge fallback", status.huge_fallback, "that the kernel could not give");
    count_blocks("huge split", status.huge_split, "that became single pages");
    count_if_seen("content errors", status.content_errors, "with wrong content",
                  "not checked (load the module with check_content=1)");
}

void show_status(const Arguments &arguments) {
    std::vector<Balloon> balloons{Balloon::find_all()};
    if (balloons.empty() || !arguments.device.empty()) {
        balloons = {Balloon::find(arguments.device)};
    }
    if (!arguments.json) {
        for (const Balloon &balloon : balloons) {
            print(balloon);
        }
        return;
    }
    nlohmann::ordered_json list = nlohmann::ordered_json::array();
    for (const Balloon &balloon : balloons) {
        list.push_back(to_json(balloon));
    }
    fmt::print("{}\n", nlohmann::ordered_json{{"balloons", list}}.dump(2));
}

/** An argument's value, where parse may refuse it: then it is a usage error and not a failure. */
template<typename Parse>
std::uint64_t parse_argument(const std::string &text, const Parse &parse) {
    try {
        return parse(text);
    } catch (const Error &error) {
        throw CLI::ValidationError(error.what());
    }
}

std::uint64_t parse_pages(const std::string &text) {
    if (text.starts_with('-')) {
        throw Error(std::errc::invalid_argument, fmt::format("'{}' is negative: give 0 pages or more", text));
    }
    return parse_number(text, "--pages");
}

/** Empty, or what is wrong with it. */
std::string check_timeout(const std::string &text) {
    double seconds = 0;
    const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
    const bool number = error == std::errc{} && stop == text.data() + text.size();
    return number && seconds > 0 && seconds < 1e9 ? "" : fmt::format("'{}' is not a number of seconds above 0", text);
}

void wait_for(const Balloon &balloon, const Arguments &arguments) {
    ProgressLine line(balloon.name());
    WaitOptions options;
    if (arguments.timeout > 0) {
        options.time_limit = std::chrono::milliseconds(std::llround(arguments.timeout * 1000));
    }
    options.report = [&](const BalloonProgress &progress) { line.show(progress); };
    balloon.wait(options);
}

void set_target(const Arguments &arguments) {
    if (arguments.size.empty() == arguments.pages.empty()) {
        throw CLI::ValidationError("give the balloon's target: either SIZE, such as 128M, or --pages N");
    }
    const bool in_pages = arguments.size.empty();
    const std::uint64_t target =
        in_pages ? parse_argument(arguments.pages, parse_pages) : parse_argument(arguments.size, parse_size);
    const Balloon balloon = Balloon::find(arguments.device);
    if (in_pages) {
        balloon.set_target_pages(target);
    } else {
        balloon.set_target_bytes(target);
    }
    if (arguments.wait) {
        wait_for(balloon, arguments);
    }
    const BalloonStatus status = balloon.status();
    fmt::print("balloon {}: {}, size {}, target {}\n", balloon.name(), activity(status), format_size(status.size_bytes),
               format_size(status.target_bytes));
}

void check_content(const Arguments &arguments) {
    const Balloon balloon = Balloon::find(arguments.device);
    const std::uint64_t errors = balloon.check_content();
    if (errors > 0) {
        throw Error(std::errc::bad_message,
                    fmt::format("balloon {}: {} pages do not hold what the balloon put there: see `dmesg`",
                                balloon.name(), errors));
    }
    fmt::print("balloon {}: {} pages hold what the balloon put there\n", balloon.name(), balloon.status().size_pages);
}

} // namespace

void add_balloon_commands(CLI::App &ballast) {
    const auto arguments = std::make_shared<Arguments>();
    CLI::App *balloon = ballast.add_subcommand("balloon", "Show and resize the memory balloon (module balloon_kvm)");
    balloon->require_subcommand(1);
    const auto add = [&](const char *name, const char *description, void (*action)(const Arguments &)) {
        CLI::App *command = balloon->add_subcommand(name, description);
        command->add_option("--device", arguments->device, "Whose balloon, where there are several");
        command->callback([arguments, action] { action(*arguments); });
        return command;
    };

    CLI::App *status = add("status", "Show target, size and counters", show_status);
    status->add_flag("--json", arguments->json, "As JSON");

    CLI::App *set = add("set", "Set the target; the balloon goes there in the background", set_target);
    set->add_option("SIZE", arguments->size, "Bytes, or with K, M, G, T after the number: 128M");
    set->add_option("--pages", arguments->pages, "The target in pages, instead of SIZE");
    CLI::Option *wait = set->add_flag("--wait", arguments->wait, "Return when the target is reached");
    set->add_option("--timeout", arguments->timeout, "Wait no longer than this many seconds")
        ->check(check_timeout)
        ->needs(wait);

    add("check", "Check the content of every page in the balloon (check_content=1)", check_content);
}
