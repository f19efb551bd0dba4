// SPDX-License-Identifier: GPL-2.0
#include "dump/cli/options.hpp"

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
    CHECK(options.core == "vmcore");
    CHECK(options.output == "dump");
    CHECK(options.codec == Codec::raw);
    CHECK(options.dump_level == 0);
    CHECK(options.threads == 0);
    CHECK(options.message_level == 7);
    CHECK_FALSE(options.overwrite);
    CHECK_FALSE(options.dry_run);
}

TEST_CASE("The letters of the codecs are makedumpfile's, the last one counts") {
    CHECK(parse({"-c", "vmcore", "dump"}).codec == Codec::zlib);
    CHECK(parse({"-l", "vmcore", "dump"}).codec == Codec::lzo);
    CHECK(parse({"-p", "vmcore", "dump"}).codec == Codec::snappy);
    CHECK(parse({"-z", "vmcore", "dump"}).codec == Codec::zstd);
    CHECK(parse({"-c", "-l", "vmcore", "dump"}).codec == Codec::lzo);
}

TEST_CASE("Options stand anywhere, together, with their values apart or not") {
    const Options options =
        parse({"vmcore", "-cfd31", "--num-threads=3", "dump", "--message-level", "16", "--dry-run"});
    CHECK(options.codec == Codec::zlib);
    CHECK(options.overwrite);
    CHECK(options.dump_level == 31);
    CHECK(options.threads == 3);
    CHECK(options.message_level == 16);
    CHECK(options.dry_run);
    CHECK(options.core == "vmcore");
    CHECK(options.output == "dump");
}

TEST_CASE("Every dump level from 0 to 31 is taken, no other") {
    for (unsigned level = 0; level <= 31; level++) {
        CHECK(parse({"-d", std::to_string(level), "vmcore", "dump"}).dump_level == level);
    }
    const std::string bad = GENERATE("32", "-1", "x", "3x", "", "0x1f", "99999999999999999999");
    CHECK_THAT(refusal({"-d", bad, "vmcore", "dump"}), ContainsSubstring("from 0 to 31"));
}

TEST_CASE("Numbers that are none are refused with the option's name") {
    CHECK_THAT(refusal({"--num-threads", "many", "vmcore", "dump"}), ContainsSubstring("--num-threads many"));
    CHECK_THAT(refusal({"--message-level", "32", "vmcore", "dump"}), ContainsSubstring("--message-level 32"));
}

TEST_CASE("What makedumpfile knows and this doesn't is refused by name, never ignored") {
    const std::string option =
        GENERATE("--split", "--reassemble", "--dump-dmesg", "--mem-usage", "-E", "-F", "-R", "-e");
    CHECK_THAT(refusal({option, "vmcore", "dump"}), ContainsSubstring(option + " is not supported"));
    CHECK_THAT(refusal({"-x", "vmlinux", "vmcore", "dump"}), ContainsSubstring("-x is not supported"));
    CHECK_THAT(refusal({"--config=file", "vmcore", "dump"}), ContainsSubstring("--config is not supported"));
    CHECK_THAT(refusal({"-d", "1,31", "vmcore", "dump"}), ContainsSubstring("more than one dump level"));
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

TEST_CASE("Missing and surplus file names are told") {
    CHECK_THAT(refusal({}), ContainsSubstring("VMCORE is missing"));
    CHECK_THAT(refusal({"vmcore"}), ContainsSubstring("DUMPFILE is missing"));
    CHECK_THAT(refusal({"vmcore", "dump", "more"}), ContainsSubstring("more: one DUMPFILE"));
}

TEST_CASE("A dry run needs no DUMPFILE, and takes one") {
    CHECK(parse({"--dry-run", "vmcore"}).output.empty());
    CHECK(parse({"--dry-run", "vmcore", "dump"}).output == "dump");
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
    CHECK(parse({"--check-params", "-d", "31", "vmcore", "dump"}).action == Options::Action::check_only);
    CHECK_THAT(refusal({"--check-params", "-d", "32", "vmcore", "dump"}), ContainsSubstring("-d 32"));
}
