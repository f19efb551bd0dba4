// SPDX-License-Identifier: GPL-2.0
#include "pmakedumpfile.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <regex>
#include <sstream>

namespace ballast::test {

namespace {

// In a mount namespace: tmpfs over $1 with options $2, run the rest, then keep what is in $1 in $3.
constexpr const char *on_tmpfs = R"(
folder=$1 options=$2 kept=$3
shift 3
mount -t tmpfs -o "$options" ballast-test "$folder" || exit 125
"$@"
status=$?
cp -r "$folder/." "$kept/" || exit 125
exit $status
)";

} // namespace

Outcome pmakedumpfile(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), BALLAST_PMAKEDUMPFILE);
    return run(arguments);
}

Outcome pmakedumpfile_on_tmpfs(const std::string &folder, const std::string &mount_options, const std::string &kept,
                               std::vector<std::string> arguments) {
    if (run({"unshare", "--map-root-user", "--mount", "mount", "-t", "tmpfs", "ballast-test", "/tmp"}).status != 0) {
        SKIP("no mount namespace with a tmpfs can be had here");
    }
    std::vector<std::string> command = {
        "unshare", "--map-root-user",    "--mount", "sh", "-c", on_tmpfs, "sh", folder, mount_options,
        kept,      BALLAST_PMAKEDUMPFILE};
    command.insert(command.end(), arguments.begin(), arguments.end());
    return run(command);
}

void require_refusal(const std::vector<std::string> &arguments, const std::string &words) {
    require_refusal(arguments, pmakedumpfile(arguments), words);
}

std::vector<std::string> error_lines(const Outcome &outcome) {
    // Copying data                  : [ 48.9 %]  412.0 MB/s  eta 3 s
    static const std::regex progress(R"(^.+: \[ *[0-9.]+ %\].*$)");
    std::vector<std::string> lines;
    std::istringstream stream(outcome.errors);
    for (std::string line; std::getline(stream, line);) {
        if (!std::regex_match(line, progress)) {
            lines.push_back(line);
        }
    }
    return lines;
}

void require_refusal(const std::vector<std::string> &arguments, const Outcome &outcome, const std::string &words) {
    INFO(describe(arguments, outcome));
    CHECK_FALSE(outcome.timed_out);
    CHECK(outcome.status == exit_failed);
    CHECK_THAT(outcome.errors, Catch::Matchers::EndsWith("\n"));
    const std::vector<std::string> lines = error_lines(outcome);
    REQUIRE(lines.size() == 1);
    CHECK_THAT(lines.front(), Catch::Matchers::StartsWith("pmakedumpfile: "));
    CHECK_THAT(lines.front(), Catch::Matchers::ContainsSubstring(words, Catch::CaseSensitive::No));
}

} // namespace ballast::test
