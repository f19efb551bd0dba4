// SPDX-License-Identifier: GPL-2.0
#include "dump/output/dump.hpp"

#include "dump/input/error.hpp"
#include "dump/output/header.hpp"
#include "dump/input/kdump_format.hpp"
#include "dump/output/output_file.hpp"
#include "dump/output/page_copier.hpp"

#include <fmt/format.h>

#include <cstddef>
#include <exception>
#include <optional>
#include <span>
#include <vector>

namespace ballast::dump {

namespace {

/**
 * All that a reader needs to open the file, pages or not, before the first page: from here on, a full disk or a power
 * cut leaves a file that opens and is marked incomplete.
 */
void write_headers(const OutputFile &file, const std::vector<std::byte> &header_blocks, const Bitmap &present,
                   const Bitmap &dumped, const CopyJob &job) {
    const Layout &layout = job.layout;
    file.reserve(job.start());
    file.write(0, header_blocks);
    file.write(layout.present_bitmap, std::as_bytes(present.words()));
    file.write(layout.dumped_bitmap, std::as_bytes(dumped.words()));
    if (job.share_zero_pages) {
        file.write(layout.data, std::vector<std::byte>(layout.block_size));
    }
}

void mark_complete(const OutputFile &file, Codec codec) {
    const auto status = static_cast<std::uint32_t>(codec);
    file.write(offsetof(kdump::DiskDumpHeader, status), std::as_bytes(std::span(&status, 1)));
}

/** What stopped the copy, and what is left of the dump. */
[[noreturn]] void fail_incomplete(const CopyResult &result, std::uint64_t pages) {
    const auto fail = [&](const char *what, int exit_status) {
        throw Error(
            fmt::format("{}; what was written is kept, marked incomplete: {} of {} pages", what, result.pages, pages),
            exit_status);
    };
    try {
        std::rethrow_exception(result.error);
    } catch (const Error &error) {
        fail(error.what(), error.exit_status());
    } catch (const std::exception &error) {
        fail(error.what(), 1);
    }
    std::terminate(); // all that is thrown is an exception
}

} // namespace

DumpResult write_dump(const Core &core, const Kernel &kernel, const Bitmap &present, const Bitmap &dumped,
                      const DumpOptions &options, ProgressSink &progress) {
    const Layout layout(core.page_size(), core.notes().size(), present.size(), dumped.count());
    std::optional<OutputFile> file;
    if (!options.dry_run) {
        file.emplace(options.path, options.overwrite);
    }
    const CopyJob job{.core = core,
                      .dumped = dumped,
                      .layout = layout,
                      .codec = options.codec,
                      .share_zero_pages = (options.dump_level & 1U) != 0,
                      .file = file ? &*file : nullptr};
    if (file) {
        write_headers(*file, make_header_blocks(core, kernel, layout, options.codec, options.dump_level), present,
                      dumped, job);
    }
    const CopyResult result = copy_pages(job, options.threads, progress);
    if (result.error && options.dry_run) {
        std::rethrow_exception(result.error);
    }
    if (result.error) {
        fail_incomplete(result, layout.pages);
    }
    if (file) {
        mark_complete(*file, options.codec);
        file->close();
    }
    return {.pages = result.pages, .zero_pages = result.zero_pages, .bytes = result.end};
}

} // namespace ballast::dump
