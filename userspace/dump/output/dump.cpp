// SPDX-License-Identifier: GPL-2.0
#include "dump/output/dump.hpp"

#include "dump/input/error.hpp"
#include "dump/output/elf_dump.hpp"
#include "dump/output/kdump_dump.hpp"

#include <fmt/format.h>

#include <exception>

namespace ballast::dump {

namespace {

/** What stopped the copy, and what is left of the dump. */
[[noreturn]] void fail_incomplete(const CopyResult &result, std::uint64_t pages) {
    const auto describe = [&](const char *what) {
        return fmt::format("{}; what was written is kept, marked incomplete: {} of {} pages", what, result.pages,
                           pages);
    };
    try {
        std::rethrow_exception(result.error);
    } catch (const DiskFull &error) {
        throw DiskFull(describe(error.what()), error.exit_status());
    } catch (const Error &error) {
        throw Error(describe(error.what()), error.exit_status());
    } catch (const std::exception &error) {
        throw Error(describe(error.what()));
    }
    std::terminate(); // all that is thrown is an exception
}

} // namespace

DumpResult write_dump(const Core &core, const Machine &machine, const Bitmap &present, const Bitmap &dumped,
                      const DumpOptions &options, ProgressSink &progress) {
    const DumpWork work{core, machine, present, dumped, options, progress};
    DumpResult dump;
    const CopyResult result = options.format == Format::elf ? write_elf(work, dump) : write_kdump(work, dump);
    if (result.error && options.dry_run) {
        std::rethrow_exception(result.error);
    }
    if (result.error) {
        fail_incomplete(result, dumped.count());
    }
    dump.pages = result.pages;
    dump.zero_pages += result.zero_pages;
    dump.same_pages = result.same_pages;
    dump.unreadable = result.unreadable;
    return dump;
}

} // namespace ballast::dump
