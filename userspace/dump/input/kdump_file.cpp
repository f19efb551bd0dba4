// SPDX-License-Identifier: GPL-2.0
#include "dump/input/kdump_file.hpp"

#include "dump/input/error.hpp"
#include "dump/input/notes.hpp"

#include <algorithm>
#include <cstring>
#include <fmt/format.h>
#include <string_view>
#include <utility>

namespace ballast::dump {

namespace {

constexpr std::uint64_t x86_page_size = 4096;
constexpr std::size_t utsname_field = 65;
constexpr std::size_t machine_field = 4;

// Header versions from which on the sub header has these.
constexpr std::int32_t with_split = 2;
constexpr std::int32_t with_vmcoreinfo = 3;
constexpr std::int32_t with_notes = 4;
constexpr std::int32_t with_eraseinfo = 5;
constexpr std::int32_t with_64_bit_pfns = 6;

std::string_view machine_of(const kdump::DiskDumpHeader &header) {
    const std::string_view field(header.utsname.data() + machine_field * utsname_field, utsname_field);
    return field.substr(0, field.find('\0'));
}

} // namespace

bool KdumpFile::is_kdump(const File &file) {
    std::array<char, kdump::signature.size()> beginning{};
    if (file.size() < beginning.size()) {
        return false;
    }
    file.read(0, std::as_writable_bytes(std::span(beginning)));
    return beginning == kdump::signature;
}

KdumpFile::KdumpFile(File file) : file_(std::move(file)) {
    const auto header = part("the header", 0, sizeof header_);
    std::memcpy(&header_, header.data(), sizeof header_);
    if (block_size() != x86_page_size) {
        throw Error(fmt::format("{}: its blocks are {} bytes long, not {} as those of x86-64", path(),
                                header_.block_size, x86_page_size));
    }
    // A dump of a kernel whose name could not be read has none here either.
    if (const auto machine = machine_of(header_); machine != "x86_64" && !machine.empty()) {
        throw Error(fmt::format("{}: a dump of another machine ({}); only x86-64 can be read", path(), machine));
    }
    if (header_.sub_hdr_size < 1 || header_.header_version < 1) {
        throw Error(fmt::format("{}: damaged: header version {}, sub header of {} blocks", path(),
                                header_.header_version, header_.sub_hdr_size));
    }
    read_sub_header();
    bitmaps_ = (1 + static_cast<std::uint64_t>(header_.sub_hdr_size)) * block_size();
    bitmap_size_ = std::uint64_t{header_.bitmap_blocks} / 2 * block_size();
    descriptors_ = bitmaps_ + std::uint64_t{header_.bitmap_blocks} * block_size();
    check();
}

/** Takes what its version has, the rest is zeros. */
void KdumpFile::read_sub_header() {
    const auto bytes = part("the sub header", block_size(), sizeof sub_header_);
    std::memcpy(&sub_header_, bytes.data(), sizeof sub_header_);
    const std::int32_t version = header_.header_version;
    max_mapnr_ = version >= with_64_bit_pfns ? sub_header_.max_mapnr_64 : header_.max_mapnr;
    if (version < with_vmcoreinfo) {
        sub_header_.size_vmcoreinfo = 0;
    }
    if (version < with_notes) {
        sub_header_.size_note = 0;
    }
    if (version < with_eraseinfo) {
        sub_header_.size_eraseinfo = 0;
    }
    begin_ = 0;
    end_ = max_mapnr_;
    if (version >= with_split && sub_header_.split != 0) {
        begin_ = version >= with_64_bit_pfns ? sub_header_.start_pfn_64 : sub_header_.start_pfn;
        end_ = version >= with_64_bit_pfns ? sub_header_.end_pfn_64 : sub_header_.end_pfn;
    }
}

void KdumpFile::check() const {
    if (max_mapnr_ == 0 || max_mapnr_ > bitmap_size_ * 8 || begin_ > end_ || end_ > max_mapnr_) {
        throw Error(fmt::format("{}: damaged: bitmaps of {} bytes for {} pages, of which it has {} to {}", path(),
                                bitmap_size_, max_mapnr_, begin_, end_));
    }
    if (descriptors_ > file_.size()) {
        throw Error(fmt::format("{}: truncated: its bitmaps end at offset {}, the file at {}", path(), descriptors_,
                                file_.size()));
    }
}

Bitmap KdumpFile::present() const {
    return bitmap(bitmaps_);
}

Bitmap KdumpFile::dumped() const {
    return bitmap(bitmaps_ + bitmap_size_);
}

Bitmap KdumpFile::bitmap(std::uint64_t offset) const {
    constexpr std::uint64_t words_at_once = 4096;
    Bitmap bitmap(max_mapnr_);
    std::vector<std::uint64_t> words;
    for (std::uint64_t n = 0; n < bitmap.word_count(); n += words.size()) {
        words.assign(std::min(words_at_once, bitmap.word_count() - n), 0);
        const std::uint64_t bytes = std::min<std::uint64_t>(words.size() * 8, (max_mapnr_ + 7) / 8 - n * 8);
        file_.read(offset + n * 8, std::as_writable_bytes(std::span(words)).first(bytes));
        bitmap.assign_words(n, words);
    }
    return bitmap;
}

std::vector<std::byte> KdumpFile::notes() const {
    return part("its notes", sub_header_.offset_note, sub_header_.size_note);
}

std::string KdumpFile::vmcoreinfo() const {
    return text("VMCOREINFO", sub_header_.offset_vmcoreinfo, sub_header_.size_vmcoreinfo);
}

std::string KdumpFile::eraseinfo() const {
    return text("its eraseinfo", sub_header_.offset_eraseinfo, sub_header_.size_eraseinfo);
}

std::vector<std::byte> KdumpFile::part(const char *what, std::uint64_t offset, std::uint64_t size) const {
    if (size == 0) {
        return {};
    }
    if (size > largest_notes) {
        throw Error(fmt::format("{}: damaged: {} would be {} bytes long", path(), what, size));
    }
    if (size > file_.size() || offset > file_.size() - size) {
        throw Error(fmt::format("{}: truncated: {} should be at offset {}, {} bytes long, but the file ends at {}",
                                path(), what, offset, size, file_.size()));
    }
    std::vector<std::byte> bytes(size);
    file_.read(offset, bytes);
    return bytes;
}

std::string KdumpFile::text(const char *what, std::uint64_t offset, std::uint64_t size) const {
    const auto bytes = part(what, offset, size);
    return {reinterpret_cast<const char *>(bytes.data()), bytes.size()};
}

} // namespace ballast::dump
