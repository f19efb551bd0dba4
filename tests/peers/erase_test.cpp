// SPDX-License-Identifier: GPL-2.0
// What --config erases is gone from dumps of real cores, in each form; makedumpfile and libkdumpfile are the judges.
#include "changed_core.hpp"
#include "comparison.hpp"
#include "debug_info.hpp"
#include "dump_file.hpp"
#include "kdumpfile.hpp"
#include "real_core.hpp"
#include "support/folder.hpp"
#include "support/process.hpp"

#include <algorithm>
#include <array>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <set>
#include <span>
#include <sstream>
#include <utility>

using namespace ballast::peers;
using ballast::test::Outcome;
using ballast::test::run;

namespace {

using namespace std::chrono_literals;

// No text of ours or the guest's has it.
constexpr std::string_view marker = "ballast's secret 7f3a90c1";
constexpr std::uint64_t nodename_offset = 65; // in struct new_utsname
constexpr std::size_t nodename_size = 65;

Outcome run_ours(std::vector<std::string> arguments) {
    std::erase(arguments, "");
    arguments.insert(arguments.begin(), BALLAST_PMAKEDUMPFILE);
    return run(arguments, 300s);
}

void require_ours(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), BALLAST_PMAKEDUMPFILE);
    require_success(arguments);
}

std::string config_of(const Folder &folder, std::string_view text) {
    std::ofstream(folder.path() / "erase.conf") << text;
    return folder.path() / "erase.conf";
}

/** How often the file has the text. */
std::uint64_t count_in(const std::string &path, std::string_view text) {
    std::ifstream file(path, std::ios::binary);
    std::string buffer;
    std::string piece(std::size_t{1} << 20U, '\0');
    std::uint64_t count = 0;
    while (file.read(piece.data(), static_cast<std::streamsize>(piece.size())) || file.gcount() > 0) {
        buffer.append(piece, 0, static_cast<std::size_t>(file.gcount()));
        for (auto at = buffer.find(text); at != std::string::npos; at = buffer.find(text, at + 1)) {
            ++count;
        }
        buffer.erase(0, buffer.size() - std::min(buffer.size(), text.size() - 1));
    }
    return count;
}

/** Where init_uts_ns.name.nodename is. */
std::uint64_t nodename_address(const std::string &core) {
    const Kdumpfile memory(core);
    // Not told before 5.11, when a kref stood before it.
    const std::string offset = memory.vmcoreinfo("OFFSET(uts_namespace.name)").value_or("4");
    return std::stoull(memory.vmcoreinfo("SYMBOL(init_uts_ns)").value(), nullptr, 16) + std::stoull(offset) +
           nodename_offset;
}

/** Copies the core of a machine whose name is the marker. */
void copy_with_marker(const std::string &core, const std::string &to) {
    std::filesystem::copy_file(core, to);
    write_kernel(to, nodename_address(core), std::as_bytes(std::span(marker)));
}

std::string eraseinfo_of(const std::string &dump) {
    constexpr std::streamoff place = 4096 + 64;
    std::ifstream file(dump, std::ios::binary);
    std::array<std::uint64_t, 2> offset_and_size{};
    file.seekg(place);
    file.read(reinterpret_cast<char *>(offset_and_size.data()), sizeof offset_and_size);
    std::string text(offset_and_size[1], '\0');
    file.seekg(static_cast<std::streamoff>(offset_and_size[0]));
    file.read(text.data(), static_cast<std::streamsize>(text.size()));
    REQUIRE(file);
    return text;
}

std::set<std::string> lines_of(const std::string &text) {
    std::istringstream stream(text);
    std::set<std::string> lines;
    for (std::string line; std::getline(stream, line);) {
        lines.insert(line);
    }
    return lines;
}

std::string sorted_lines(const std::string &text) {
    std::istringstream stream(text);
    std::vector<std::string> lines;
    for (std::string line; std::getline(stream, line);) {
        lines.push_back(line + "\n");
    }
    std::ranges::sort(lines);
    return fmt::format("{}", fmt::join(lines, ""));
}

/** What a dump by us and one by makedumpfile say that the config erased. Their pages are the same. */
std::pair<std::string, std::string> erase_by_both(const Folder &folder, const std::string &vmlinux,
                                                  const std::string &config) {
    const std::string ours = folder.path() / "ours";
    const std::string theirs = folder.path() / "theirs";
    const std::vector<std::string> arguments{"-c", "-d", "31", "-x", vmlinux, "--config", config, core_of("5_levels")};
    for (const auto &[program, dump] : {std::pair(BALLAST_PMAKEDUMPFILE, ours), std::pair("makedumpfile", theirs)}) {
        std::vector<std::string> command{program};
        command.insert(command.end(), arguments.begin(), arguments.end());
        command.push_back(dump);
        require_success(command);
    }
    const Comparison comparison = compare_dumps(theirs, ours);
    INFO(comparison.describe());
    CHECK(comparison.pages_compared > 1000);
    CHECK(comparison.equal());
    return {eraseinfo_of(ours), eraseinfo_of(theirs)};
}

} // namespace

TEST_CASE("What was erased is nowhere in the dump, in whatever form it is written") {
    const std::string vmlinux = require_vmlinux();
    const Folder folder;
    const auto path = [&](const char *name) { return (folder.path() / name).native(); };
    const std::string core = path("core");
    copy_with_marker(core_of("5_levels"), core);
    const std::string config = config_of(folder, "erase init_uts_ns.name.nodename\n");
    const std::vector<std::string> erase{"-f", "-x", vmlinux, "--config", config};
    const auto with = [&](std::vector<std::string> arguments) {
        arguments.insert(arguments.begin(), erase.begin(), erase.end());
        return arguments;
    };

    require_ours({"-d", "0", core, path("not_erased")});
    REQUIRE(count_in(path("not_erased"), marker) == 2); // and in the header
    std::filesystem::remove(path("not_erased"));

    for (const std::string format : {"", "-E"}) {
        for (const std::string level : {"0", "31"}) {
            CAPTURE(format, level);
            require_ours(with({format, "-d", level, core, path("dump")}));
            CHECK(count_in(path("dump"), marker) == 0);
        }
    }
    require_ours(with({"-d", "31", "--split", core, path("a"), path("b")}));
    CHECK(count_in(path("a"), marker) + count_in(path("b"), marker) == 0);
    const std::string command = fmt::format("{} -x {} --config {} -F -d 31 {} > {}", BALLAST_PMAKEDUMPFILE, vmlinux,
                                            config, core, path("flat"));
    REQUIRE(run({"sh", "-c", command}, 300s).status == 0);
    CHECK(count_in(path("flat"), marker) == 0);

    for (const std::string compressor : {"-c", "-l", "-p", "-z"}) {
        CAPTURE(compressor);
        require_ours(with({compressor, "-d", "31", core, path("dump")}));
        std::vector<std::byte> nodename(nodename_size);
        Kdumpfile(path("dump")).read_kernel(nodename_address(core), nodename);
        CHECK(std::ranges::count(nodename, std::byte{'X'}) == nodename_size);
        CHECK(eraseinfo_of(path("dump")) == "erase init_uts_ns.name.nodename size 65\n");
    }
    // Filtered again, the dump still says what it lacks.
    require_ours({"-f", "-l", "-d", "31", path("dump"), path("a")});
    CHECK(eraseinfo_of(path("a")) == "erase init_uts_ns.name.nodename size 65\n");
    CHECK(run({"crash", "--osrelease", path("a")}).output == BALLAST_KERNEL_RELEASE "\n");
}

TEST_CASE("A config erases the bytes that makedumpfile erases") {
    skip_unless_makedumpfile_knows_kernel();
    const std::string vmlinux = require_vmlinux();
    const Folder folder;
    const std::string config = config_of(folder, "# text, struct, part of one, pointer\n"
                                                 "erase saved_command_line\n"
                                                 "erase init_uts_ns.name.nodename\n"
                                                 "erase init_task.comm size 3\n"
                                                 "erase init_task.stack nullify\n"
                                                 "erase jiffies_64\n"
                                                 "for m in modules.next within module:list\n"
                                                 "  erase m.name\n"
                                                 "  erase m.version\n"
                                                 "endfor\n"
                                                 "for m in modules within module:list\n"
                                                 "  erase m.srcversion\n"
                                                 "endfor\n");
    const auto [ours, theirs] = erase_by_both(folder, vmlinux, config);
    CHECK(std::ranges::count(ours, '\n') > 20);
    // Theirs has a loop's commands one after the other, each for all elements.
    CHECK(sorted_lines(ours) == sorted_lines(theirs));
}

TEST_CASE("Along linked lists, over arrays and in sizes of other variables a config erases what makedumpfile erases") {
    skip_unless_makedumpfile_knows_kernel();
    const std::string vmlinux = require_vmlinux();
    const Folder folder;
    const std::string config = config_of(folder, "for r in iomem_resource.child via sibling\n"
                                                 "  erase r.name\n"
                                                 "endfor\n"
                                                 "for f in file_systems via next\n"
                                                 "  erase f.name\n"
                                                 "endfor\n"
                                                 "for s in super_blocks within super_block:s_list\n"
                                                 "  erase s.s_id\n"
                                                 "endfor\n"
                                                 "for t in init_css_set.subsys\n" // of pointers
                                                 "  erase t.parent nullify\n"
                                                 "endfor\n"
                                                 "for n in init_uts_ns.name.nodename\n" // of bytes
                                                 "  erase n\n"
                                                 "endfor\n"
                                                 "erase log_buf size log_buf_len\n"
                                                 "erase init_task.thread_pid size init_task.prio\n");
    const auto [ours, theirs] = erase_by_both(folder, vmlinux, config);
    // Two resources may have the same name, of which makedumpfile tells once.
    const std::set<std::string> erased = lines_of(ours);
    CHECK(erased == lines_of(theirs));
    for (const std::string each : {"r.name size ", "f.name size ", "t.parent nullify", "n size 1", "log_buf size "}) {
        CAPTURE(each);
        CHECK(std::ranges::any_of(erased, [&](const auto &line) { return line.starts_with("erase " + each); }));
    }
}

TEST_CASE("An ELF dump tells what was erased in makedumpfile's note, and filtered again it tells the same") {
    skip_unless_makedumpfile_knows_kernel();
    const std::string vmlinux = require_vmlinux();
    const Folder folder;
    const auto path = [&](const char *name) { return (folder.path() / name).native(); };
    const auto note_of = [](const std::string &dump) {
        const std::string notes = run({"readelf", "--notes", "--wide", dump}).output;
        const std::size_t at = notes.find("ERASEINFO");
        return at == std::string::npos ? "none" : notes.substr(at); // the last note
    };
    const std::string config = config_of(folder, "erase init_uts_ns.name.nodename\nerase saved_command_line\n");
    const std::vector<std::string> arguments{"-d", "31", "-x", vmlinux, "--config", config, core_of("5_levels")};
    const auto dump = [&](const std::string &program, const std::string &format, const std::string &to) {
        std::vector<std::string> command{program, format};
        command.insert(command.end(), arguments.begin(), arguments.end());
        command.push_back(to);
        require_success(command);
    };
    dump(BALLAST_PMAKEDUMPFILE, "-E", path("ours"));
    dump("makedumpfile", "-E", path("theirs"));
    REQUIRE(note_of(path("theirs")) != "none");
    CHECK(note_of(path("ours")) == note_of(path("theirs")));

    require_ours({"-E", "-d", "31", path("ours"), path("elf")});
    CHECK(note_of(path("elf")) == note_of(path("theirs")));
    require_ours({"-l", "-d", "31", path("elf"), path("kdump")});
    CHECK(eraseinfo_of(path("kdump")).starts_with("erase init_uts_ns.name.nodename size 65\nerase saved_command_line"));
    require_ours({"-f", "-E", "-d", "31", path("kdump"), path("elf")});
    CHECK(note_of(path("elf")) == note_of(path("theirs")));
    CHECK(run({"crash", "--osrelease", path("elf")}).output == BALLAST_KERNEL_RELEASE "\n");
}

TEST_CASE("Without a vmlinux, BTF tells what a per-CPU variable is, and each CPU's is erased") {
    if (!btf_has_variables()) {
        SKIP("the BTF of " BALLAST_KERNEL_RELEASE " has no variables");
    }
    const Folder folder;
    const std::string dump = folder.path() / "dump";
    const std::string format = GENERATE("", "-E");
    const std::string config = config_of(folder, "erase cpu_info.x86_model_id\n");
    CAPTURE(format);
    require_ours({format, "-d", "31", core_of("5_levels"), dump});
    constexpr std::string_view model = "QEMU TCG CPU version";
    const std::uint64_t before = count_in(dump, model);
    require_ours({"-f", format, "-d", "31", "--config", config, core_of("5_levels"), dump});
    constexpr unsigned cpus = 2;
    CHECK(count_in(dump, model) == before - cpus);
    CHECK(count_in(dump, std::string(64, 'X')) == cpus);
}

TEST_CASE("A module's variables are known by its own debug information") {
    const std::string vmlinux = require_vmlinux();
    const Folder folder;
    const std::string dump = folder.path() / "dump";
    const std::string config = config_of(folder, "[9pnet]\n"
                                                 "for t in v9fs_trans_list within p9_trans_module:list\n"
                                                 "  erase t.name\n"
                                                 "endfor\n"
                                                 "[not-loaded]\n"
                                                 "erase anything\n"
                                                 "[9p]\n"
                                                 "erase anything\n");
    const Outcome outcome = run_ours({"-d", "31", "-x", vmlinux, "--config", config, core_of("5_levels"), dump});
    INFO(outcome.output << outcome.errors);
    REQUIRE(outcome.status == 0);
    // The transports that the guest has; 5.10 has others built in.
    CHECK(lines_of(eraseinfo_of(dump)).contains("erase t.name size 6")); // virtio
    CHECK(outcome.output.find(config + ":5: [not-loaded] is passed over: no such module is loaded") !=
          std::string::npos);
    CHECK(outcome.output.find(config + ":7: [9p] is passed over: its debug information is not found") !=
          std::string::npos);
}

TEST_CASE("What can't be erased ends the run with a line that names the config's, and no dump is written") {
    struct Wrong {
        std::string text;
        std::string message;
        bool wants_vmlinux = true;
    };
    const auto wrong = GENERATE(
        Wrong{"\nerase init_uts_ns.name",
              "erase.conf:2: the type of 'init_uts_ns' is not known: BTF has the "
              "types of per-CPU variables at most: give the kernel's vmlinux with -x",
              false},
        Wrong{"erase no_such_thing", "erase.conf:1: there is no variable 'no_such_thing' in this kernel", false},
        Wrong{"erase cpu_info.no_such", "erase.conf:1: 'cpu_info.no_such': there is no member 'no_such'",
              !btf_has_variables()},
        Wrong{"erase cpu_info nullify", "erase.conf:1: 'cpu_info' is no pointer, which nullify wants",
              !btf_has_variables()},
        Wrong{"for c in cpu_info\nendfor",
              "erase.conf:1: 'cpu_info' is no array: a list is walked with 'via' or 'within'", !btf_has_variables()},
        Wrong{"erase a size", "erase.conf:1: 'size' is not understood after 'a'", false},
        Wrong{"erase init_task.stack", "erase.conf:1: 'init_task.stack' points at what has no size"},
        Wrong{"for m in modules within module:no_such\nendfor",
              "erase.conf:1: there is no struct 'module' with a list_head 'no_such'"},
        Wrong{"for c in root_mem_cgroup via no_such\nendfor",
              "erase.conf:1: 'root_mem_cgroup' has no member 'no_such' that is a pointer"},
        Wrong{"erase init_task.comm size init_task.comm", "erase.conf:1: 'init_task.comm' is no size"});
    const std::string vmlinux = wrong.wants_vmlinux ? require_vmlinux() : "";
    const Folder folder;
    const Outcome outcome = run_ours({vmlinux.empty() ? "" : "-x", vmlinux, "-d", "31", "--config",
                                      config_of(folder, wrong.text), core_of("5_levels"), folder.path() / "dump"});
    INFO(outcome.errors);
    CHECK(outcome.status == 1);
    CHECK(outcome.errors.find(wrong.message) != std::string::npos);
    CHECK(std::ranges::count(outcome.errors, '\n') == 1);
    CHECK_FALSE(std::filesystem::exists(folder.path() / "dump"));
}
