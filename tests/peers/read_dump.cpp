// SPDX-License-Identifier: GPL-2.0
// Reads a dump as others would: headers and bitmaps, then release and kernel log through libkdumpfile.
// Exit status: 0 read, 1 not readable, CLI11's own above 100 for a wrong command line.
#include "dump_file.hpp"
#include "kdumpfile.hpp"
#include "printk_log.hpp"

#include <CLI/CLI.hpp>
#include <array>
#include <fmt/format.h>
#include <iostream>
#include <nlohmann/json.hpp>

namespace {

using namespace ballast::peers;

std::string compression(const DumpFile &dump) {
    constexpr std::array<std::pair<std::uint32_t, const char *>, 4> compressors = {
        {{0x1, "zlib"}, {0x2, "lzo"}, {0x4, "snappy"}, {0x20, "zstd"}}};
    for (const auto &[flag, name] : compressors) {
        if ((dump.header().status & flag) != 0) {
            return name;
        }
    }
    return "none";
}

nlohmann::ordered_json report(const std::string &path, std::size_t log_lines) {
    const DumpFile dump(path);
    return {{"release", Kdumpfile(path).release()},
            {"level", dump.header().dump_level},
            {"compression", compression(dump)},
            {"pages_present", dump.present_count()},
            {"pages_dumped", dump.dumped_count()},
            {"bytes", dump.bytes()},
            {"incomplete", (dump.header().status & status_incomplete) != 0},
            {"log_lines", log_lines}};
}

void print(const nlohmann::ordered_json &report) {
    for (const auto &[key, value] : report.items()) {
        fmt::print("{:14} {}\n", key, value.is_string() ? value.get<std::string>() : value.dump());
    }
}

} // namespace

int main(int argc, char **argv) {
    try {
        CLI::App app("Reads a kernel crash dump with libkdumpfile.", "read_dump");
        std::string path;
        bool as_json = false;
        bool log = false;
        bool vmcoreinfo = false;
        app.add_option("DUMP", path, "the dump")->required();
        auto *json_flag = app.add_flag("--json", as_json, "print the figures as JSON");
        auto *log_flag = app.add_flag("--log", log, "print the kernel's log")->excludes(json_flag);
        app.add_flag("--vmcoreinfo", vmcoreinfo, "print VMCOREINFO's text")->excludes(json_flag)->excludes(log_flag);
        CLI11_PARSE(app, argc, argv);

        if (vmcoreinfo) {
            fmt::print("{}", DumpFile(path).vmcoreinfo());
            return 0;
        }

        const std::vector<std::string> lines = dmesg_lines(printk_log(Kdumpfile(path)));
        if (log) {
            fmt::print("{}\n", fmt::join(lines, "\n"));
        } else if (as_json) {
            fmt::print("{}\n", report(path, lines.size()).dump());
        } else {
            print(report(path, lines.size()));
        }
        return 0;
    } catch (const std::exception &error) {
        std::cerr << "read_dump: " << error.what() << '\n';
        return 1;
    }
}
