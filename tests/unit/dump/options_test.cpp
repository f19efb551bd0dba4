// SPDX-License-Identifier: GPL-2.0
#include "dump/cli/options.hpp"

#include "dump/cli/help.hpp"
#include "dump/input/error.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/matchers/catch_matchers_exception.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <string>
#include <vector>

namespace {

using namespace ballast::dump;
using Catch::Matchers::ContainsSubstring;

Options parse(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "pmakedumpfile");
    std::vector<char *> argv;
    argv.reserve(arguments.size());
    for (std::string &argument : arguments) {
        argv.push_back(argument.data());
    }
    return parse_options(argv);
}

/** The one line that a refused command line gets; empty where it is accepted. */
std::string refusal(const std::vector<std::string> &arguments) {
    try {
        parse(arguments);
    } catch (const Error &error) {
        CHECK(error.exit_status() == 1);
        return error.what();
    }
    return "";
}

} // namespace

TEST_CASE("Two names alone mean a raw dump of level 0 with a thread for each CPU") {
    const Options options = parse({"vmcore", "dump"});
    CHECK(options.action == Options::Action::dump);
    CHECK(options.cores == std::vector<std::string>{"vmcore"});
    CHECK(options.outputs == std::vector<std::string>{"dump"});
    CHECK(options.compression.codec == Codec::raw);
    CHECK(options.dump_levels == std::vector<unsigned>{0});
    CHECK(options.threads == 0);
    CHECK(options.message_level == 7);
    CHECK_FALSE(options.overwrite);
    CHECK_FALSE(options.dry_run);
}

TEST_CASE("The letters of the codecs are makedumpfile's, the last one counts") {
    CHECK(parse({"-c", "vmcore", "dump"}).compression.codec == Codec::zlib);
    CHECK(parse({"-l", "vmcore", "dump"}).compression.codec == Codec::lzo);
    CHECK(parse({"-p", "vmcore", "dump"}).compression.codec == Codec::snappy);
    CHECK(parse({"-z", "vmcore", "dump"}).compression.codec == Codec::zstd);
    CHECK(parse({"-c", "-l", "vmcore", "dump"}).compression.codec == Codec::lzo);
}

TEST_CASE("Options stand anywhere, together, with their values apart or not") {
    const Options options =
        parse({"vmcore", "-cfd31", "--num-threads=3", "dump", "--message-level", "16", "--dry-run"});
    CHECK(options.compression.codec == Codec::zlib);
    CHECK(options.overwrite);
    CHECK(options.dump_levels == std::vector<unsigned>{31});
    CHECK(options.threads == 3);
    CHECK(options.message_level == 16);
    CHECK(options.dry_run);
    CHECK(options.cores == std::vector<std::string>{"vmcore"});
    CHECK(options.outputs == std::vector<std::string>{"dump"});
}

TEST_CASE("Every dump level from 0 to 31 is taken, no other") {
    for (unsigned level = 0; level <= 31; level++) {
        CHECK(parse({"-d", std::to_string(level), "vmcore", "dump"}).dump_levels == std::vector<unsigned>{level});
    }
    const std::string bad = GENERATE("32", "-1", "x", "3x", "", "0x1f", "99999999999999999999");
    CHECK_THAT(refusal({"-d", bad, "vmcore", "dump"}), ContainsSubstring("from 0 to 31"));
}

TEST_CASE("Numbers that are none are refused with the option's name") {
    CHECK_THAT(refusal({"--num-threads", "many", "vmcore", "dump"}), ContainsSubstring("--num-threads many"));
    CHECK_THAT(refusal({"--message-level", "32", "vmcore", "dump"}), ContainsSubstring("--message-level 32"));
}

TEST_CASE("What makedumpfile knows and this doesn't is refused by name, never ignored") {
    const std::string option = GENERATE("--eppic=macro", "--extension=module", "--diskset=vmcore1", "--xen-syms=xen",
                                        "--xen-vmcoreinfo=text", "--xen_phys_start=0", "-X");
    CHECK_THAT(refusal({option, "vmcore", "dump"}),
               ContainsSubstring(option.substr(0, option.find('=')) + " is not supported"));
}

TEST_CASE("Options that this design needs not are taken, and that is said") {
    const std::vector<std::string> option =
        GENERATE(std::vector<std::string>{"-b", "4"}, std::vector<std::string>{"-e"},
                 std::vector<std::string>{"--cyclic-buffer", "1024"}, std::vector<std::string>{"--work-dir", "/tmp"});
    std::vector<std::string> arguments = option;
    arguments.insert(arguments.end(), {"vmcore", "dump"});
    const Options options = parse(arguments);
    REQUIRE(options.remarks.size() == 1);
    CHECK_THAT(options.remarks.front(), ContainsSubstring(option.front() + " changes nothing here"));
}

TEST_CASE("Several dump levels are taken in their order, and each is checked") {
    CHECK(parse({"-d", "1,17,31", "vmcore", "dump"}).dump_levels == std::vector<unsigned>{1, 17, 31});
    const std::string bad = GENERATE("1,32", "1,", ",1", "1,,2");
    CHECK_THAT(refusal({"-d", bad, "vmcore", "dump"}), ContainsSubstring("from 0 to 31"));
}

TEST_CASE("Which names are cores and which are dumps depends on what is done") {
    using Names = std::vector<std::string>;
    const Options split = parse({"--split", "vmcore", "dump1", "dump2"});
    CHECK(split.cores == Names{"vmcore"});
    CHECK(split.outputs == Names{"dump1", "dump2"});
    const Options set = parse({"-d", "31", "part1", "part2", "part3", "dump"});
    CHECK(set.cores == Names{"part1", "part2", "part3"});
    CHECK(set.outputs == Names{"dump"});
    const Options flattened = parse({"-F", "vmcore"});
    CHECK(flattened.cores == Names{"vmcore"});
    CHECK(flattened.outputs.empty());
    const Options rearranged = parse({"-R", "dump"});
    CHECK(rearranged.action == Options::Action::rearrange);
    CHECK(rearranged.outputs == Names{"dump"});
    const Options whole = parse({"--reassemble", "part1", "part2", "dump"});
    CHECK(whole.action == Options::Action::reassemble);
    CHECK(whole.cores == Names{"part1", "part2"});
    CHECK(whole.outputs == Names{"dump"});
    CHECK(parse({"--verify", "part1", "part2"}).cores == Names{"part1", "part2"});
}

TEST_CASE("What is asked of a core instead of a dump is taken") {
    const Options log = parse({"--dump-dmesg", "--partial-dmesg", "-x", "vmlinux", "vmcore", "log"});
    CHECK(log.action == Options::Action::dump_log);
    CHECK(log.only_uncleared_log);
    CHECK(log.vmlinux == "vmlinux");
    CHECK(log.outputs == std::vector<std::string>{"log"});
    const Options vtop = parse({"--vtop", "0xffffffff81000000", "vmcore"});
    CHECK(vtop.action == Options::Action::translate);
    CHECK(vtop.address_to_translate == 0xffffffff81000000);
    CHECK(parse({"--vtop", "ffffffff81000000", "vmcore"}).address_to_translate == 0xffffffff81000000);
    CHECK_THAT(refusal({"--vtop", "here", "vmcore"}), ContainsSubstring("hexadecimal"));
}

TEST_CASE("An address is translated beside a dump as well, as makedumpfile does") {
    const Options options = parse({"--vtop", "ffffffff81000000", "vmcore", "dump"});
    CHECK(options.action == Options::Action::dump);
    CHECK(options.address_to_translate == 0xffffffff81000000);
    CHECK(options.outputs == std::vector<std::string>{"dump"});
}

TEST_CASE("The use of memory is counted of one core, and nothing is written") {
    const Options options = parse({"--mem-usage", "/proc/kcore"});
    CHECK(options.action == Options::Action::memory_usage);
    CHECK(options.cores == std::vector<std::string>{"/proc/kcore"});
    CHECK(options.outputs.empty());
    CHECK_THAT(refusal({"--mem-usage"}), ContainsSubstring("One VMCORE is missing"));
    CHECK_THAT(refusal({"--mem-usage", "/proc/kcore", "dump"}), ContainsSubstring("--mem-usage /proc/kcore"));
}

TEST_CASE("A text of VMCOREINFO is made of a vmlinux alone") {
    const Options options = parse({"-g", "text", "-x", "vmlinux"});
    CHECK(options.action == Options::Action::generate_vmcoreinfo);
    CHECK(options.outputs == std::vector<std::string>{"text"});
    CHECK(options.vmlinux == "vmlinux");
    CHECK_THAT(refusal({"-g", "text"}), ContainsSubstring("-x VMLINUX is missing"));
    CHECK_THAT(refusal({"-g", "text", "-x", "vmlinux", "vmcore"}), ContainsSubstring("vmcore: -g takes no other file"));
    CHECK_THAT(refusal({"-g", "text", "-x", "vmlinux", "--dry-run"}), ContainsSubstring("--dry-run"));
}

TEST_CASE("Options that contradict each other are refused by name") {
    CHECK_THAT(refusal({"-E", "-l", "vmcore", "dump"}), ContainsSubstring("-E can't be used with -c, -l"));
    CHECK_THAT(refusal({"-E", "--split", "vmcore", "a", "b"}), ContainsSubstring("-E can't be used with --split"));
    CHECK_THAT(refusal({"-F", "--split", "vmcore", "a", "b"}), ContainsSubstring("-F can't be used with --split"));
    CHECK_THAT(refusal({"-F", "-L", "5", "vmcore"}), ContainsSubstring("-F can't be used with -L"));
    CHECK_THAT(refusal({"-F", "--stats=json", "vmcore"}), ContainsSubstring("-F can't be used with --stats"));
    CHECK_THAT(refusal({"-E", "--dedup", "vmcore", "dump"}), ContainsSubstring("-E can't be used with --dedup"));
}

TEST_CASE("Sizes are taken in the units of the manual") {
    CHECK(parse({"-L", "123456789012", "vmcore", "dump"}).size_limit == 123456789012);
    CHECK(parse({"--splitblock-size", "1024", "vmcore", "dump"}).split_block == 1024 * 1024);
    CHECK(parse({"--dedup", "vmcore", "dump"}).dedup_memory == 16 << 20);
    CHECK(parse({"--dedup=2", "vmcore", "dump"}).dedup_memory == 2 << 20);
    CHECK(parse({"--zstd-level", "-5", "vmcore", "dump"}).compression.zstd_level == -5);
    CHECK_THAT(refusal({"--zstd-level", "23", "vmcore", "dump"}), ContainsSubstring("--zstd-level 23"));
    CHECK_THAT(refusal({"-L", "0", "vmcore", "dump"}), ContainsSubstring("-L 0"));
    CHECK_THAT(refusal({"--progress=xml", "vmcore", "dump"}), ContainsSubstring("json is the one form"));
}

TEST_CASE("What nobody knows is refused by name") {
    CHECK_THAT(refusal({"-q", "vmcore", "dump"}), ContainsSubstring("-q: no such option"));
    CHECK_THAT(refusal({"--frobnicate", "vmcore", "dump"}), ContainsSubstring("--frobnicate: no such option"));
    CHECK_THAT(refusal({"-cq", "vmcore", "dump"}), ContainsSubstring("-q: no such option"));
}

TEST_CASE("A missing value is named") {
    CHECK_THAT(refusal({"vmcore", "dump", "-d"}), ContainsSubstring("-d: its value is missing"));
    CHECK_THAT(refusal({"vmcore", "dump", "--num-threads"}), ContainsSubstring("--num-threads: its value is missing"));
}

TEST_CASE("Missing file names are told") {
    CHECK_THAT(refusal({}), ContainsSubstring("VMCORE is missing"));
    CHECK_THAT(refusal({"vmcore"}), ContainsSubstring("DUMPFILE is missing"));
    CHECK_THAT(refusal({"--split", "vmcore", "dump"}), ContainsSubstring("second DUMPFILE is missing"));
    CHECK_THAT(refusal({"-R"}), ContainsSubstring("DUMPFILE is missing"));
    CHECK_THAT(refusal({"--verify"}), ContainsSubstring("DUMPFILE is missing"));
}

TEST_CASE("A dry run needs no DUMPFILE, and takes one") {
    CHECK(parse({"--dry-run", "vmcore"}).outputs.empty());
    CHECK(parse({"--dry-run", "vmcore", "dump"}).outputs == std::vector<std::string>{"dump"});
}

TEST_CASE("Help and version need no file names") {
    CHECK(parse({"-h"}).action == Options::Action::help);
    CHECK(parse({"--help"}).action == Options::Action::help);
    CHECK(parse({"-v"}).action == Options::Action::version);
    CHECK_THAT(help_text(), ContainsSubstring("--num-threads N"));
    CHECK_THAT(version_text(), ContainsSubstring("pmakedumpfile: version "));
}

TEST_CASE("The message level can be added to") {
    CHECK(parse({"--show-stats", "vmcore", "dump"}).message_level == 23);
    CHECK(parse({"-D", "vmcore", "dump"}).message_level == 15);
}

TEST_CASE("Parameters that are only checked are refused as ever") {
    CHECK(parse({"--check-params", "-d", "31", "vmcore", "dump"}).check_only);
    CHECK_FALSE(parse({"-d", "31", "vmcore", "dump"}).check_only);
    CHECK_THAT(refusal({"--check-params", "-d", "32", "vmcore", "dump"}), ContainsSubstring("-d 32"));
}
