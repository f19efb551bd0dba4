// SPDX-License-Identifier: GPL-2.0
#include "dump/cli/open_core.hpp"

#include "dump/input/error.hpp"
#include "dump/input/file.hpp"
#include "dump/output/chunk_copier.hpp"
#include "dump/output/output_file.hpp"
#include "dump/output/threads.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <set>
#include <system_error>

namespace ballast::dump {

namespace {

constexpr std::uint64_t longest_text = std::uint64_t{1} << 20U;
constexpr const char *live_memory = "/proc/kcore";

} // namespace

std::string read_text(const std::string &path, std::string_view what) {
    const File file(path);
    if (file.size() == 0 || file.size() > longest_text) {
        throw Error(fmt::format("{}: {} bytes long: not {}", path, file.size(), what));
    }
    std::string text(file.size(), '\0');
    file.read(0, std::as_writable_bytes(std::span(text)));
    return text;
}

void check_outputs(const Options &options) {
    if (options.dry_run) {
        return;
    }
    std::set<std::string> seen;
    for (const std::string &path : options.outputs) {
        check_output(path, options.overwrite, options.cores);
        if (!seen.insert(path).second) {
            throw Error(fmt::format("{}: given twice: each DUMPFILE is a file of its own", path));
        }
    }
}

Core open_core(const Options &options) {
    if (options.action != Options::Action::memory_usage && is_live(options.cores.front())) {
        throw Error(fmt::format("{}: the running kernel's memory, which changes while it is read: --mem-usage alone "
                                "reads it",
                                options.cores.front()));
    }
    return Core::open(
        options.cores,
        {.allow_mapping = options.allow_mapping,
         .partial = options.action == Options::Action::verify,
         .vmcoreinfo = options.vmcoreinfo.empty() ? "" : read_text(options.vmcoreinfo, "a text of VMCOREINFO")});
}

bool is_live(const std::string &path) {
    // Containers mask it with /dev/null.
    std::error_code error;
    return std::filesystem::is_regular_file(path, error) && std::filesystem::equivalent(path, live_memory, error);
}

unsigned decide_threads(const Options &options, const Core &core, const Messages &messages) {
    if (is_live(core.path())) {
        // Before 6.4 all that comes out of one open file goes through one buffer, without a lock: two reads at the same
        // time get each other's bytes.
        messages.say(message_level::common, "Using 1 thread, as the running kernel's memory is read by one at a time.");
        return 1;
    }
    const ThreadChoice choice =
        choose_threads(options.threads, {.cpus = usable_cpus(),
                                         .available_memory = available_memory(),
                                         .memory_per_thread = ChunkCopier::memory(options.compression, core)});
    messages.say(message_level::common, fmt::format("Using {}.", choice.reason));
    return choice.threads;
}

void say_saved(const Options &options, const Messages &messages) {
    if (!options.dry_run && options.flattened) {
        messages.say(message_level::common, "\nThe dumpfile is saved to STDOUT.");
    } else if (!options.dry_run) {
        messages.say(message_level::common,
                     fmt::format("\nThe dumpfile{} saved to {}.", options.outputs.size() > 1 ? "s are" : " is",
                                 fmt::join(options.outputs, ", ")));
    }
    messages.say(message_level::common, "\npmakedumpfile Completed.");
}

} // namespace ballast::dump
