// SPDX-License-Identifier: GPL-2.0
#include "dump/filter/filter.hpp"

#include "dump/filter/page_class.hpp"
#include "dump/filter/struct_pages.hpp"
#include "dump/input/error.hpp"
#include "dump/input/workers.hpp"

#include <algorithm>
#include <atomic>
#include <fmt/format.h>
#include <mutex>

namespace ballast::dump {

namespace {

/** Pages to leave out. */
struct Run {
    Pfn begin = 0;
    Pfn end = 0;
    PageClass page_class = PageClass::kept;
};

struct Findings {
    ExcludedPages excluded;
    std::uint64_t unreadable = 0;     // struct pages that are not in the core
    std::uint64_t odd_free_order = 0; // free pages whose order can't be
    std::uint64_t kernels_own = 0;    // pages to leave out that the kernel can't be without
    std::vector<Run> crossing;        // runs beyond the end of their section
};

std::uint64_t &count_of(ExcludedPages &excluded, PageClass page_class) {
    switch (page_class) {
    case PageClass::free:
        return excluded.free;
    case PageClass::cache:
        return excluded.cache;
    case PageClass::cache_private:
        return excluded.cache_private;
    case PageClass::user:
        return excluded.user;
    case PageClass::hwpoison:
        return excluded.hwpoison;
    case PageClass::offline:
    case PageClass::kept: // never left out
        break;
    }
    return excluded.offline;
}

/** Leaves pages out of the dump, but for the kernel's own memory. */
class Excluder {
  public:
    Excluder(const std::vector<PfnRange> &own_memory, Bitmap &dumped) : own_memory_(&own_memory), dumped_(&dumped) {}

    void exclude(const Run &run, Findings &findings) {
        Pfn begin = run.begin;
        auto own = std::upper_bound(own_memory_->begin(), own_memory_->end(), begin,
                                    [](Pfn pfn, const PfnRange &range) { return pfn < range.end; });
        for (; begin < run.end && own != own_memory_->end() && own->begin < run.end; ++own) {
            clear(begin, own->begin, run.page_class, findings);
            findings.kernels_own += std::min(own->end, run.end) - std::max(own->begin, begin);
            begin = own->end;
        }
        clear(begin, run.end, run.page_class, findings);
    }

  private:
    void clear(Pfn begin, Pfn end, PageClass page_class, Findings &findings) {
        if (begin < end) {
            count_of(findings.excluded, page_class) += dumped_->clear_range(begin, end);
        }
    }

    const std::vector<PfnRange> *own_memory_;
    Bitmap *dumped_;
};

/**
 * Filters whole sections, one thread's share. A section's own bits depend on its own struct pages only, in pfn order;
 * runs that go beyond it are put off until all sections are done. So neither bits nor counts depend on who did what
 * when.
 */
class SectionFilter {
  public:
    SectionFilter(const Core &core, const Kernel &kernel, const PageRules &rules, const Bitmap &present, Bitmap &dumped)
        : pages_(core, kernel),
          struct_size_(kernel.page_layout().size),
          rules_(&rules),
          present_(&present),
          dumped_(&dumped),
          excluder_(kernel.own_memory(), dumped) {}

    void filter(const MemorySection &section) {
        Pfn pfn = section.first;
        while (pfn < section.end) {
            const StructPages::Window window = pages_.at(section, pfn);
            if (window.data == nullptr) {
                findings_.unreadable += window.count;
                pfn += window.count;
                continue;
            }
            pfn = filter_window(section, pfn, window);
        }
        excluder_.exclude(run_, findings_);
        run_ = {};
        dumped_->settle(section.first, section.end); // others don't touch what is in this section
    }

    Findings &findings() { return findings_; }

  private:
    /** Returns the pfn to go on with: beyond the window, where a run that began in it ends there. */
    Pfn filter_window(const MemorySection &section, Pfn first, const StructPages::Window &window) {
        const Pfn end = first + window.count;
        Pfn pfn = first;
        while (pfn < end) {
            if (!present_->test(pfn)) {
                ++pfn;
                continue;
            }
            const std::byte *page = window.data + (pfn - first) * struct_size_;
            const std::byte *next = pfn + 1 < end ? page + struct_size_ : nullptr;
            const Verdict verdict = rules_->judge(page, next, pfn);
            findings_.odd_free_order += verdict.odd_free_order ? 1 : 0;
            if (verdict.page_class == PageClass::kept) {
                ++pfn;
                continue;
            }
            const Pfn run_end = pfn + (Pfn{1} << verdict.order);
            add_run(section, {.begin = pfn, .end = run_end, .page_class = verdict.page_class});
            pfn = std::min(run_end, section.end);
        }
        return pfn;
    }

    void add_run(const MemorySection &section, Run run) {
        if (run.end > section.end) {
            findings_.crossing.push_back({section.end, run.end, run.page_class});
            run.end = section.end;
        }
        if (run.begin == run_.end && run.page_class == run_.page_class) {
            run_.end = run.end;
            return;
        }
        excluder_.exclude(run_, findings_);
        run_ = run;
    }

    StructPages pages_;
    std::uint64_t struct_size_;
    const PageRules *rules_;
    const Bitmap *present_;
    Bitmap *dumped_;
    Excluder excluder_;
    Run run_; // not cleared yet: it may grow
    Findings findings_;
};

void add(Findings &sum, Findings part) {
    sum.excluded.free += part.excluded.free;
    sum.excluded.cache += part.excluded.cache;
    sum.excluded.cache_private += part.excluded.cache_private;
    sum.excluded.user += part.excluded.user;
    sum.excluded.hwpoison += part.excluded.hwpoison;
    sum.excluded.offline += part.excluded.offline;
    sum.unreadable += part.unreadable;
    sum.odd_free_order += part.odd_free_order;
    sum.kernels_own += part.kernels_own;
    sum.crossing.insert(sum.crossing.end(), part.crossing.begin(), part.crossing.end());
}

std::uint64_t pages_in(const std::vector<MemorySection> &sections) {
    std::uint64_t pages = 0;
    for (const MemorySection &section : sections) {
        pages += section.end - section.first;
    }
    return pages;
}

void warn(std::vector<std::string> &warnings, const Findings &findings) {
    if (findings.unreadable > 0) {
        warnings.push_back(
            fmt::format("{} struct pages can't be read: the pages that they describe are kept", findings.unreadable));
    }
    if (findings.odd_free_order > 0) {
        warnings.push_back(
            fmt::format("{} free pages have an order that can't be: they are kept", findings.odd_free_order));
    }
    if (findings.kernels_own > 0) {
        warnings.push_back(fmt::format("{} pages of the kernel's own (image, per-CPU variables, page tables, struct "
                                       "pages, log) say that they may be left out: they are kept",
                                       findings.kernels_own));
    }
}

} // namespace

FilterResult filter(const Core &core, const Kernel &kernel, unsigned dump_level, unsigned threads,
                    ProgressSink &progress) {
    if (dump_level > dump_level::all) {
        throw Error(fmt::format("dump level {} is out of range: 0 to {}", dump_level, dump_level::all));
    }
    const Bitmap present = core.present();
    FilterResult result{.dumped = core.with_data(), .excluded = {}, .warnings = {}};
    const PageRules rules(kernel.page_layout(), dump_level);
    result.warnings = rules.missing();
    if (!rules.exclude_any()) {
        return result;
    }

    Findings findings;
    std::mutex mutex;
    std::atomic<std::size_t> next_section = 0;
    const auto &sections = kernel.sections();
    progress.begin("Excluding unnecessary pages", pages_in(sections));
    run_workers(std::min<unsigned>(threads, static_cast<unsigned>(sections.size())), [&](const std::stop_token &stop) {
        SectionFilter filter(core, kernel, rules, present, result.dumped);
        while (!stop.stop_requested()) {
            const std::size_t index = next_section.fetch_add(1, std::memory_order_relaxed);
            if (index >= sections.size()) {
                break;
            }
            filter.filter(sections[index]);
            progress.add(sections[index].end - sections[index].first);
        }
        const std::lock_guard lock(mutex);
        add(findings, std::move(filter.findings()));
    });
    progress.end();

    std::sort(findings.crossing.begin(), findings.crossing.end(),
              [](const Run &a, const Run &b) { return a.begin < b.begin || (a.begin == b.begin && a.end < b.end); });
    Excluder excluder(kernel.own_memory(), result.dumped);
    for (const Run &run : findings.crossing) {
        excluder.exclude(run, findings);
    }
    result.excluded = findings.excluded;
    warn(result.warnings, findings);
    return result;
}

} // namespace ballast::dump
