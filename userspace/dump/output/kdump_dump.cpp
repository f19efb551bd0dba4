// SPDX-License-Identifier: GPL-2.0
#include "dump/output/kdump_dump.hpp"

#include "dump/input/error.hpp"
#include "dump/input/kdump_format.hpp"
#include "dump/output/chunk_copier.hpp"
#include "dump/output/chunk_plan.hpp"
#include "dump/output/header.hpp"
#include "dump/output/layout.hpp"
#include "dump/output/split_bounds.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace ballast::dump {

namespace {

/** A file of the dump: where its parts stand, and which pages it has. */
struct Part {
    Output *file = nullptr;
    Layout layout;
    std::optional<SplitRange> split;
    CopyPart copy;
};

class KdumpWriter {
  public:
    explicit KdumpWriter(const DumpWork &work) : work_(work), outputs_(open_outputs(work.options)) {
        cuts_ = split_pages();
        const ChunkPlan plan(work.dumped, chunk_pages(), cuts_);
        for (std::size_t n = 0; n < outputs_.size(); n++) {
            parts_.push_back(make_part(plan, n));
        }
    }

    CopyResult write(DumpResult &dump) {
        for (const Part &part : parts_) {
            write_headers(part);
        }
        CopyResult result = !work_.options.first.empty() ? copy_in_steps() : copy(work_.dumped, nullptr);
        if (!result.error) {
            finish(result, dump);
        }
        return result;
    }

  private:
    /** The page with which each part but the first begins. */
    [[nodiscard]] std::vector<Pfn> split_pages() const {
        const ChunkPlan plan(work_.dumped, chunk_pages());
        const std::uint64_t chunk_bytes = chunk_pages() * work_.core.page_size();
        return split_bounds({.core = work_.core,
                             .pages = work_.dumped,
                             .plan = plan,
                             .compression = {.codec = work_.options.codec, .zstd_level = work_.options.zstd_level},
                             .share_zeros = shares_zeros(),
                             .block = std::max<std::uint64_t>(work_.options.split_block / chunk_bytes, 1),
                             .parts = outputs_.size()});
    }

    [[nodiscard]] std::uint64_t chunk_pages() const {
        return ChunkCopier::chunk_pages(work_.options.codec, work_.core.page_size());
    }

    [[nodiscard]] bool shares_zeros() const { return (work_.options.dump_level & 1U) != 0; }

    [[nodiscard]] Part make_part(const ChunkPlan &plan, std::size_t n) const {
        const bool first = n == 0;
        const bool last = n + 1 == outputs_.size();
        const std::uint64_t first_rank = first ? 0 : plan.rank_at_cut(n - 1);
        const Layout layout(work_.core.page_size(), work_.core.notes().size(), work_.present.size(),
                            (last ? plan.pages() : plan.rank_at_cut(n)) - first_rank);
        std::optional<SplitRange> split;
        if (outputs_.size() > 1) {
            split = SplitRange{.begin = first ? 0 : cuts_[n - 1], .end = last ? work_.present.size() : cuts_[n]};
        }
        const bool share_zeros = shares_zeros();
        return {.file = outputs_[n].get(),
                .layout = layout,
                .split = split,
                .copy = {.file = outputs_[n].get(),
                         .begin = first ? 0 : plan.chunk_at_cut(n - 1),
                         .end = last ? plan.chunks() : plan.chunk_at_cut(n),
                         .first_rank = first_rank,
                         .descriptors = layout.descriptors,
                         .zero_page = share_zeros ? std::optional(layout.data) : std::nullopt,
                         .data = layout.data + (share_zeros ? layout.block_size : 0)}};
    }

    /**
     * All that a reader needs to open the file, pages or not, before the first page: from here on, a full disk or a
     * power cut leaves a file that opens and is marked incomplete. A flattened one has its end mark to say that it is
     * whole; crash would read the mark that comes first, or garbage where records overlap.
     */
    void write_headers(const Part &part) const {
        if (part.file == nullptr) {
            return;
        }
        part.file->reserve(part.copy.data);
        part.file->write(0, header_blocks(part, part.file->in_order() ? 0 : kdump::status_incomplete));
        write_bitmap(*part.file, part.layout.present_bitmap, work_.present);
        write_bitmap(*part.file, part.layout.dumped_bitmap, work_.dumped);
        if (part.copy.zero_page) {
            part.file->write(*part.copy.zero_page, std::vector<std::byte>(part.layout.block_size));
        }
    }

    [[nodiscard]] std::vector<std::byte> header_blocks(const Part &part, std::uint32_t incomplete) const {
        return make_header_blocks(work_.core, work_.machine, part.layout,
                                  static_cast<std::uint32_t>(work_.options.codec) | incomplete,
                                  work_.options.dump_level, part.split);
    }

    static void write_bitmap(Output &file, std::uint64_t offset, const Bitmap &bitmap) {
        constexpr std::uint64_t words_at_once = 4096;
        std::vector<std::uint64_t> words;
        for (std::uint64_t n = 0; n < bitmap.word_count(); n += words.size()) {
            words.resize(std::min(words_at_once, bitmap.word_count() - n));
            bitmap.copy_words(n, words);
            file.write(offset + n * sizeof words[0], std::as_bytes(std::span(words)));
        }
    }

    CopyResult copy(const Bitmap &pages, const RankIndex *ranks) const {
        CopyJob job{.core = work_.core,
                    .pages = pages,
                    .compression = {.codec = work_.options.codec, .zstd_level = work_.options.zstd_level},
                    .as_stored = work_.options.as_stored,
                    .ranks = ranks,
                    .dedup_memory = work_.options.dedup_memory,
                    .erased = work_.options.erased,
                    .parts = {},
                    .cuts = cuts_};
        for (const Part &part : parts_) {
            job.parts.push_back(part.copy);
        }
        return copy_pages(job, work_.options.threads, "Copying data", work_.progress);
    }

    /** The more useful pages first, then the others. */
    CopyResult copy_in_steps() {
        const std::span<const Bitmap> first = work_.options.first;
        const RankIndex ranks(work_.dumped);
        Bitmap left = work_.dumped;
        CopyResult all;
        for (std::size_t step = 0; step <= first.size(); step++) {
            Bitmap pages = left;
            if (step < first.size()) {
                pages.keep(first[step], true);
                left.keep(first[step], false);
            }
            CopyPart &part = parts_.front().copy;
            part.end = ChunkPlan(pages, chunk_pages()).chunks();
            CopyResult result = copy(pages, &ranks);
            all.pages += result.pages;
            all.zero_pages += result.zero_pages;
            all.same_pages += result.same_pages;
            all.unreadable.count += result.unreadable.count;
            all.unreadable.lost += result.unreadable.lost;
            all.unreadable.reasons.merge(result.unreadable.reasons);
            all.parts = result.parts;
            all.error = result.error;
            if (all.error) {
                break;
            }
            part.data = result.parts.front().end;
        }
        return all;
    }

    void finish(const CopyResult &result, DumpResult &dump) const {
        const std::string eraseinfo = work_.options.eraseinfo + describe(result.unreadable);
        const std::uint32_t incomplete = result.unreadable.lost != 0 ? kdump::status_incomplete : 0;
        for (std::size_t n = 0; n < parts_.size(); n++) {
            const std::uint64_t end = result.parts[n].end;
            // A split set's readers put all parts' texts together.
            const std::string_view text = n == 0 ? std::string_view(eraseinfo) : std::string_view();
            if (Output *file = parts_[n].file; file != nullptr) {
                write_eraseinfo(parts_[n], end, text, incomplete);
                if (!file->in_order() && incomplete == 0) {
                    mark_complete(*file);
                }
                file->close();
            }
            dump.bytes += end + text.size();
        }
    }

    /** For eraseinfo: a line for each of them, as far as they were kept. */
    static std::string describe(const UnreadablePages &unreadable) {
        std::string text;
        for (const auto &[pfn, reason] : unreadable.reasons) {
            text += fmt::format("unreadable page {:#x}\n", pfn);
        }
        if (unreadable.count > unreadable.reasons.size()) {
            text += fmt::format("unreadable pages: {}\n", unreadable.count);
        }
        return text;
    }

    void write_eraseinfo(const Part &part, std::uint64_t offset, std::string_view text,
                         std::uint32_t incomplete) const {
        if (text.empty()) {
            return;
        }
        const std::array<std::uint64_t, 2> place = {offset, text.size()};
        const std::uint64_t at = part.layout.sub_header + offsetof(kdump::SubHeader, offset_eraseinfo);
        part.file->write(offset, std::as_bytes(std::span(text)));
        if (part.file->in_order()) {
            // A record for all that the first one was for, or crash finds neither.
            std::vector<std::byte> blocks = header_blocks(part, incomplete);
            std::memcpy(blocks.data() + at, place.data(), sizeof place);
            part.file->write(0, blocks);
        } else {
            part.file->write(at, std::as_bytes(std::span(place)));
        }
    }

    void mark_complete(Output &file) const {
        const auto status = static_cast<std::uint32_t>(work_.options.codec);
        file.write(offsetof(kdump::DiskDumpHeader, status), std::as_bytes(std::span(&status, 1)));
    }

    const DumpWork &work_;
    std::vector<std::unique_ptr<Output>> outputs_;
    std::vector<Pfn> cuts_;
    std::vector<Part> parts_;
};

} // namespace

CopyResult write_kdump(const DumpWork &work, DumpResult &dump) {
    return KdumpWriter(work).write(dump);
}

} // namespace ballast::dump
