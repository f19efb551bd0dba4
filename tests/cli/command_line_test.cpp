// SPDX-License-Identifier: GPL-2.0
#include "pmakedumpfile.hpp"
#include "small_core.hpp"
#include "support/file.hpp"
#include "support/folder.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <nlohmann/json.hpp>

using namespace ballast::test;
using Catch::Matchers::ContainsSubstring;

namespace {

/** A folder with a good core in it. */
struct Place {
    Folder folder;
    std::string core = folder.path() / "core";
    std::string dump = folder.path() / "dump";
    Place() { make_core(core); }
};

} // namespace

TEST_CASE("Help and version go to standard output, with status 0") {
    const std::string option = GENERATE("-h", "--help", "-v");
    const Outcome outcome = pmakedumpfile({option});
    INFO(describe({option}, outcome));
    CHECK(outcome.status == exit_ok);
    CHECK_THAT(outcome.output, ContainsSubstring("pmakedumpfile"));
    CHECK(outcome.errors.empty());
}

TEST_CASE("The help tells the exit statuses") {
    CHECK_THAT(pmakedumpfile({"-h"}).output, ContainsSubstring("Exit status"));
}

TEST_CASE("An unknown option is refused by its name, and nothing is written") {
    const Place place;
    const std::string option = GENERATE("--nonsense", "-Q", "--dump-lvl=1");
    require_refusal({option, place.core, place.dump}, option.substr(0, option.find('=')));
    CHECK(names_in(place.folder.path()) == std::set<std::string>{"core"});
}

TEST_CASE("A dump level out of range is refused") {
    const Place place;
    const std::string level = GENERATE("32", "-1", "31x", "", "99999999999999999999");
    require_refusal({"-d", level, place.core, place.dump}, "level");
    CHECK(names_in(place.folder.path()) == std::set<std::string>{"core"});
}

TEST_CASE("A folder for temporary files that is not there is refused") {
    const Folder folder;
    require_refusal({"--work-dir", folder.path() / "none", "core", "dump"}, "there is no such folder");
}

TEST_CASE("An absurd number of threads is refused") {
    const Place place;
    const std::string threads = GENERATE("-1", "two", "", "99999999999999999999");
    require_refusal({"--num-threads", threads, place.core, place.dump}, "threads");
    CHECK(names_in(place.folder.path()) == std::set<std::string>{"core"});
}

TEST_CASE("An option without its value is refused") {
    require_refusal({"core", "dump", "-d"}, "-d");
    require_refusal({"core", "dump", "--num-threads"}, "--num-threads");
}

TEST_CASE("Missing file names are refused, and files that don't belong together as well") {
    const Place place;
    require_refusal({}, "VMCORE");
    require_refusal({place.core}, "DUMPFILE");
    require_refusal({place.core, place.core, place.dump}, "not a part of a split dump");
    CHECK(names_in(place.folder.path()) == std::set<std::string>{"core"});
}

TEST_CASE("A good core is dumped with status 0, and without progress nothing is on standard error") {
    const Place place;
    const Outcome outcome = pmakedumpfile({"--message-level", "6", place.core, place.dump});
    INFO(outcome.errors);
    CHECK(outcome.status == exit_ok);
    CHECK(outcome.errors.empty());
    CHECK(names_in(place.folder.path()) == std::set<std::string>{"core", "dump"});
}

TEST_CASE("Message level 0 says nothing, even of an error") {
    const Place place;
    const Outcome good = pmakedumpfile({"--message-level", "0", place.core, place.dump});
    CHECK(good.status == exit_ok);
    CHECK((good.output + good.errors).empty());
    const Outcome bad = pmakedumpfile({"--message-level", "0", place.core + "-missing", place.dump});
    CHECK(bad.status == exit_failed);
    CHECK((bad.output + bad.errors).empty());
}

TEST_CASE("A dry run writes nothing, neither a new file nor over an old one") {
    const Place place;
    CHECK(pmakedumpfile({"--dry-run", "-l", place.core}).status == exit_ok);
    CHECK(pmakedumpfile({"--dry-run", "-l", place.core, place.dump}).status == exit_ok);
    CHECK(names_in(place.folder.path()) == std::set<std::string>{"core"});

    place.folder.write("dump", "an old dump");
    CHECK(pmakedumpfile({"--dry-run", "-f", "-l", place.core, place.dump}).status == exit_ok);
    CHECK(read_file(place.dump) == "an old dump");
}

TEST_CASE("Parameters that are only checked write nothing, whatever they ask for") {
    const Place place;
    const std::string option = GENERATE("-l", "--reassemble", "--verify");
    CHECK(pmakedumpfile({"--check-params", option, place.core, place.dump}).status == exit_ok);
    CHECK(names_in(place.folder.path()) == std::set<std::string>{"core"});
}

TEST_CASE("Statistics as JSON are all that is on standard output") {
    const Place place;
    const Outcome outcome = pmakedumpfile({"--stats=json", "-l", "-d", "1", place.core, place.dump});
    INFO(outcome.output);
    REQUIRE(outcome.status == exit_ok);
    const auto stats = nlohmann::json::parse(outcome.output);
    CHECK(stats["pages"]["present"] == 256);
    CHECK(stats["pages"]["dumped"] == 256);
    CHECK(stats["pages"]["zero"] == 64);
    CHECK(stats["dump_level"] == 1);
    CHECK(stats["classes"]["kernel"]["kept_bytes"] == 256 * 4096);
    CHECK(stats["output_bytes"] == read_file(place.dump).size());
    CHECK(stats["steps"].size() == 1);
}

TEST_CASE("Progress as JSON is lines of it on standard error") {
    const Place place;
    const Outcome outcome = pmakedumpfile({"--progress=json", "--message-level", "1", place.core, place.dump});
    const auto last = nlohmann::json::parse(outcome.errors.substr(outcome.errors.rfind('{')));
    CHECK(last["step"] == "Copying data");
    CHECK(last["done"] == 256);
    CHECK(last["total"] == 256);
}

TEST_CASE("Verifying a dump ends with status 0 if all is well, and names what isn't") {
    const Place place;
    REQUIRE(pmakedumpfile({"-l", place.core, place.dump}).status == exit_ok);
    CHECK(pmakedumpfile({"--verify", place.dump}).status == exit_ok);
    // Behind header, sub header and two bitmaps: the second page's codec.
    poke(place.dump, 4 * 4096 + 24 + 12, "@");
    const Outcome outcome = pmakedumpfile({"--verify", place.dump});
    CHECK(outcome.status == exit_failed);
    CHECK_THAT(outcome.output, ContainsSubstring("the data of page 0x101 is damaged"));
    CHECK_THAT(outcome.errors, ContainsSubstring("1 damaged"));
}
