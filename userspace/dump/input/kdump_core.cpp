// SPDX-License-Identifier: GPL-2.0
#include "dump/input/kdump_core.hpp"

#include "dump/input/error.hpp"
#include "dump/input/kdump_reader.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <utility>

namespace ballast::dump {

namespace {

std::vector<KdumpFile> open_all(std::vector<File> files) {
    std::vector<KdumpFile> opened;
    opened.reserve(files.size());
    for (File &file : files) {
        opened.emplace_back(std::move(file));
    }
    std::ranges::sort(opened, [](const KdumpFile &a, const KdumpFile &b) { return a.begin() < b.begin(); });
    return opened;
}

/** The pages that the files have: a split set's bitmaps tell of the whole dump. */
Bitmap dumped_by(std::span<const KdumpFile> files) {
    Bitmap dumped = files.front().dumped();
    dumped.clear_range(0, files.front().begin());
    for (std::size_t n = 1; n < files.size(); n++) {
        dumped.clear_range(files[n - 1].end(), files[n].begin());
    }
    dumped.clear_range(files.back().end(), dumped.size());
    return dumped;
}

bool same_dump(const KdumpFile &a, const KdumpFile &b) {
    const kdump::DiskDumpHeader &first = a.header();
    const kdump::DiskDumpHeader &second = b.header();
    return a.max_mapnr() == b.max_mapnr() && first.utsname == second.utsname &&
           first.bitmap_blocks == second.bitmap_blocks && first.timestamp_seconds == second.timestamp_seconds &&
           a.sub_header().dump_level == b.sub_header().dump_level &&
           a.sub_header().phys_base == b.sub_header().phys_base;
}

Notes notes_of(const KdumpFile &file) {
    Notes notes;
    notes.add(file.notes(), 4);
    // Dumps of before header version 4 have it alone.
    if (notes.vmcoreinfo().empty() && file.sub_header().size_vmcoreinfo != 0) {
        notes.add_vmcoreinfo(file.vmcoreinfo());
    }
    return notes;
}

} // namespace

KdumpCore::KdumpCore(std::vector<File> files, bool partial)
    : files_(open_all(std::move(files))),
      present_(files_.front().present()),
      dumped_(dumped_by(files_)),
      ranks_(dumped_),
      notes_(notes_of(files_.front())) {
    check_set(partial);
}

void KdumpCore::check_set(bool partial) const {
    Pfn end = 0;
    for (const KdumpFile &file : files_) {
        if (!same_dump(files_.front(), file)) {
            throw Error(fmt::format("{} and {} are not parts of the same dump", files_.front().path(), file.path()));
        }
        if (file.begin() < end) {
            throw Error(fmt::format("{}: has pages that another of the files has too, from {:#x} on", file.path(),
                                    file.begin()));
        }
        if (file.begin() > end && !partial) {
            throw Error(fmt::format("{}: a part of a split dump; the one with the pages {:#x} to {:#x} is missing",
                                    file.path(), end, file.begin() - 1));
        }
        end = file.end();
    }
    if (end < present_.size() && !partial) {
        throw Error(fmt::format("{}: a part of a split dump; the one with the pages {:#x} to {:#x} is missing",
                                files_.back().path(), end, present_.size() - 1));
    }
}

std::uint64_t KdumpCore::file_size() const {
    std::uint64_t size = 0;
    for (const KdumpFile &file : files_) {
        size += file.file().size();
    }
    return size;
}

/** Each run of present pages, as there are no virtual addresses. Offsets say nothing. */
std::vector<Segment> KdumpCore::segments(std::uint64_t page_size) const {
    std::vector<Segment> segments;
    for (Pfn pfn = present_.next_set(0); pfn < present_.size();) {
        const Pfn end = present_.next_clear(pfn);
        const std::uint64_t size = (end - pfn) * page_size;
        segments.push_back({.physical = pfn * page_size, .memory_size = size, .file_size = size});
        pfn = present_.next_set(end);
    }
    return segments;
}

std::unique_ptr<MemoryReader> KdumpCore::reader() const {
    return std::make_unique<KdumpReader>(*this);
}

std::uint64_t KdumpCore::reader_memory() const {
    return KdumpReader::memory();
}

std::optional<DumpOrigin> KdumpCore::origin() const {
    const KdumpFile &first = files_.front();
    DumpOrigin origin{.header = first.header(), .sub_header = first.sub_header(), .incomplete = false, .eraseinfo = {}};
    for (const KdumpFile &file : files_) {
        origin.incomplete |= (file.header().status & kdump::status_incomplete) != 0;
        origin.eraseinfo += file.eraseinfo();
    }
    return origin;
}

std::optional<KdumpCore::Place> KdumpCore::find(Pfn pfn) const {
    if (!dumped_.test(pfn)) {
        return std::nullopt;
    }
    const auto after = std::ranges::upper_bound(files_, pfn, {}, &KdumpFile::begin);
    const KdumpFile &file = *std::prev(after);
    return Place{.file = &file, .rank = ranks_.rank(pfn) - ranks_.rank(file.begin())};
}

std::uint64_t KdumpCore::descriptors(const KdumpFile &file) const {
    return ranks_.rank(file.end()) - ranks_.rank(file.begin());
}

} // namespace ballast::dump
