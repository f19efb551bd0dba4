// SPDX-License-Identifier: GPL-2.0
#include "dump/cli/make_dump.hpp"

#include "dump/cli/open_core.hpp"
#include "dump/cli/progress.hpp"
#include "dump/cli/report.hpp"
#include "dump/cli/timed_steps.hpp"
#include "dump/erase/eraser.hpp"
#include "dump/filter/filter.hpp"
#include "dump/kernel/kernel.hpp"
#include "dump/output/dump.hpp"

#include <fmt/format.h>

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace ballast::dump {

namespace {

/** A run: what it works on, and level by level what it makes. */
class DumpRun {
  public:
    DumpRun(const Options &options, const Messages &messages, const HeldSignals &signals)
        : options_(options),
          messages_(messages),
          core_(open_core(options)),
          kernel_(Kernel::describe(core_, options.vmlinux)),
          printer_(messages.wants(message_level::progress) ? stderr : nullptr, core_.page_size(), signals,
                   options.json_progress),
          progress_(printer_) {
        messages.say(message_level::debug, fmt::format("The crashed kernel is {}.", kernel_.release()));
        for (const std::string &remark : kernel_.remarks()) {
            messages.say(message_level::common, remark);
        }
        if (!options.erase_config.empty()) {
            find_erasure();
        }
        threads_ = decide_threads(options, core_, messages);
    }

    void make() {
        for (std::size_t n = 0;; n++) {
            const unsigned level = options_.dump_levels[n];
            const bool last = n + 1 == options_.dump_levels.size();
            const FilterResult filtered = filter_at(level);
            try {
                report(level, filtered, write(level, filtered, n > 0, {}));
                return;
            } catch (const DiskFull &full) {
                if (last) {
                    write_useful_first(level, filtered);
                    throw;
                }
                messages_.say(message_level::common,
                              fmt::format("{}. Trying dump level {}.", full.what(), options_.dump_levels[n + 1]));
            }
        }
    }

  private:
    void find_erasure() {
        const std::string &path = options_.erase_config;
        erasure_ = ballast::dump::find_erasure(
            core_, kernel_, parse_erase_config(read_text(path, "a text that tells what to erase"), path), path,
            options_.vmlinux);
        for (const std::string &remark : erasure_->remarks) {
            messages_.say(message_level::common, remark);
        }
    }

    /** The headers have the machine's names, which may be erased too. */
    [[nodiscard]] Machine machine() const {
        Machine machine = machine_of(core_, kernel_);
        if (erasure_ && kernel_.utsname_physical()) {
            erasure_->memory.erase_from(*kernel_.utsname_physical(),
                                        std::as_writable_bytes(std::span(machine.utsname)));
            for (std::size_t end = utsname_field; end <= machine.utsname.size(); end += utsname_field) {
                machine.utsname[end - 1] = '\0';
            }
        }
        return machine;
    }

    FilterResult filter_at(unsigned level) {
        FilterResult filtered = filter(core_, kernel_, level, threads_, progress_);
        for (const std::string &warning : filtered.warnings) {
            messages_.say(message_level::common, warning);
        }
        return filtered;
    }

    DumpResult write(unsigned level, const FilterResult &filtered, bool again, std::span<const Bitmap> first) {
        const auto origin = core_.origin();
        return write_dump(core_, machine(), core_.present(), filtered.dumped,
                          {.paths = options_.outputs,
                           .overwrite = options_.overwrite || again,
                           .format = options_.elf ? Format::elf : Format::kdump,
                           .codec = options_.compression.codec,
                           .zstd_level = options_.compression.zstd_level,
                           // What was left out before is not there now either.
                           .dump_level = level | (origin ? origin->dump_level() & dump_level::all : 0),
                           .threads = threads_,
                           .dry_run = options_.dry_run,
                           .size_limit = options_.size_limit,
                           .split_block = options_.split_block,
                           .dedup_memory = options_.dedup_memory,
                           .erased = erasure_ ? &erasure_->memory : nullptr,
                           .eraseinfo = core_.eraseinfo() + (erasure_ ? erasure_->eraseinfo : ""),
                           .first = first},
                          progress_);
    }

    /**
     * There is no room for all pages. First come those without which no reader finds anything: the image's data, page
     * tables, the log; then the image's code and struct pages. User space, the page cache and free memory are left for
     * the end.
     */
    void write_useful_first(unsigned level, const FilterResult &filtered) {
        if (options_.elf || options_.outputs.size() != 1 || options_.dry_run) {
            return;
        }
        std::vector<Bitmap> useful;
        for (const std::vector<PfnRange> *part : {&kernel_.way_in(), &kernel_.own_memory()}) {
            Bitmap pages(filtered.dumped.size());
            for (const PfnRange &range : *part) {
                pages.set_range(range.begin, range.end);
            }
            if (pages.count() != 0) {
                useful.push_back(std::move(pages));
            }
        }
        Bitmap most_filtered = filter(core_, kernel_, dump_level::all, threads_, progress_).dumped;
        if (!(most_filtered == filtered.dumped)) {
            useful.push_back(std::move(most_filtered));
        }
        if (useful.empty()) {
            return; // a kernel that isn't understood: no page is known to be more useful than another
        }
        messages_.say(message_level::common, "There is no room for all pages: writing the most useful ones first.");
        write(level, filtered, true, useful);
    }

    void report(unsigned level, const FilterResult &filtered, const DumpResult &dump) {
        const PageCounts counts{.max_mapnr = core_.max_pfn(),
                                .present = core_.present().count(),
                                .excluded = filtered.excluded,
                                .zero = dump.zero_pages,
                                .bytes = dump.bytes};
        messages_.say(message_level::report, report_text(counts));
        if (options_.json_stats) {
            print_answer(stdout, stats(level, filtered, dump, counts));
        }
        report_unreadable(dump.unreadable, "the core");
    }

    std::string stats(unsigned level, const FilterResult &filtered, const DumpResult &dump, const PageCounts &counts) {
        const std::vector<TimedSteps::Step> steps = progress_.steps();
        // What each class would lose at most is what there is of it.
        const FilterResult most = filter(core_, kernel_, dump_level::all, threads_, progress_);
        return stats_json({.release = kernel_.release(),
                           .dump_level = level,
                           .threads = threads_,
                           .page_size = core_.page_size(),
                           .counts = counts,
                           .seen = most.excluded,
                           .with_data = core_.with_data().count(),
                           .dumped = filtered.dumped.count(),
                           .dump = dump,
                           .steps = steps});
    }

    const Options &options_;
    const Messages &messages_;
    Core core_;
    Kernel kernel_;
    ProgressPrinter printer_;
    TimedSteps progress_;
    unsigned threads_ = 1;
    std::optional<Erasure> erasure_;
};

} // namespace

void make_dump(const Options &options, const Messages &messages, const HeldSignals &signals) {
    check_outputs(options);
    DumpRun(options, messages, signals).make();
    say_saved(options, messages);
}

} // namespace ballast::dump
