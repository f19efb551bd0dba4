// SPDX-License-Identifier: GPL-2.0
#include "dump/input/kdump_reader.hpp"

#include "dump/input/error.hpp"

#include <algorithm>
#include <fmt/format.h>

namespace ballast::dump {

namespace {

constexpr std::uint64_t descriptors_at_once = 128;

ReadError damaged(const KdumpCore::Place &place, Pfn pfn, const kdump::PageDescriptor &descriptor) {
    return ReadError(fmt::format("{}: the data of page {:#x} is damaged: {} bytes at offset {}, flags {:#x}",
                                 place.file->path(), pfn, descriptor.size, descriptor.offset, descriptor.flags),
                     ReadError::Kind::damaged);
}

} // namespace

KdumpReader::KdumpReader(const KdumpCore &core) : core_(&core) {}

std::uint64_t KdumpReader::memory() {
    constexpr std::uint64_t largest_page = 4096;
    return FileWindow::largest_request + Inflater::memory() + std::tuple_size_v<decltype(cache_)> * largest_page +
           descriptors_at_once * sizeof(kdump::PageDescriptor);
}

std::span<const std::byte> KdumpReader::view(std::uint64_t physical, std::uint64_t wanted) {
    const std::uint64_t page_size = core_->files().front().block_size();
    const Pfn pfn = physical / page_size;
    const auto place = core_->find(pfn);
    if (!place) {
        return {};
    }
    const std::uint64_t within = physical % page_size;
    return page(*place, pfn).subspan(within, std::min(wanted, page_size - within));
}

std::optional<std::uint64_t> KdumpReader::at_or_after(std::uint64_t physical) const {
    const std::uint64_t page_size = core_->files().front().block_size();
    const Pfn pfn = core_->dumped().next_set(physical / page_size);
    return pfn < core_->dumped().size() ? std::optional(std::max(physical, pfn * page_size)) : std::nullopt;
}

std::optional<StoredBytes> KdumpReader::stored(Pfn pfn) {
    const auto place = core_->find(pfn);
    if (!place) {
        return StoredBytes{};
    }
    const auto found = descriptor(*place, pfn);
    const bool whole = found.size == place->file->block_size();
    if (!is_codec(found.flags) || (static_cast<Codec>(found.flags) == Codec::raw && !whole)) {
        throw damaged(*place, pfn, found);
    }
    return StoredBytes{.bytes = stored_bytes(*place, found), .flags = found.flags};
}

std::span<const std::byte> KdumpReader::page(const KdumpCore::Place &place, Pfn pfn) {
    const auto found = descriptor(place, pfn);
    ++calls_;
    for (CachedPage &cached : cache_) {
        if (cached.file == place.file && cached.offset == found.offset) {
            cached.used = calls_;
            return cached.bytes;
        }
    }
    CachedPage &oldest = *std::ranges::min_element(cache_, {}, &CachedPage::used);
    oldest.file = nullptr; // nothing is there if reading fails
    oldest.bytes.resize(place.file->block_size());
    if (!inflater_.inflate(found.flags, stored_bytes(place, found), oldest.bytes)) {
        throw damaged(place, pfn, found);
    }
    oldest.file = place.file;
    oldest.offset = found.offset;
    oldest.used = calls_;
    return oldest.bytes;
}

std::span<const std::byte> KdumpReader::stored_bytes(const KdumpCore::Place &place,
                                                     const kdump::PageDescriptor &descriptor) {
    if (window_on_ != place.file) {
        window_.emplace(place.file->file());
        window_on_ = place.file;
    }
    return window_->at(descriptor.offset, descriptor.size);
}

kdump::PageDescriptor KdumpReader::descriptor(const KdumpCore::Place &place, Pfn pfn) {
    if (descriptors_of_ != place.file || place.rank < first_descriptor_ ||
        place.rank - first_descriptor_ >= descriptors_.size()) {
        read_descriptors(place);
    }
    const kdump::PageDescriptor found = descriptors_[place.rank - first_descriptor_];
    const KdumpFile &file = *place.file;
    if (found.offset == 0) {
        throw ReadError(fmt::format("{}: page {:#x} was lost when the dump was made", file.path(), pfn),
                        ReadError::Kind::lost);
    }
    if ((found.page_flags & kdump::page_was_unreadable) != 0) {
        throw ReadError(fmt::format("{}: page {:#x} could not be read when the dump was made", file.path(), pfn),
                        ReadError::Kind::unreadable);
    }
    if (found.size == 0 || found.size > file.block_size() || found.size > file.file().size() ||
        found.offset > file.file().size() - found.size) {
        throw ReadError(fmt::format("{}: the descriptor of page {:#x} is damaged: {} bytes at offset {}", file.path(),
                                    pfn, found.size, found.offset),
                        ReadError::Kind::damaged);
    }
    return found;
}

void KdumpReader::read_descriptors(const KdumpCore::Place &place) {
    const std::uint64_t first = place.rank / descriptors_at_once * descriptors_at_once;
    const std::uint64_t count = std::min(descriptors_at_once, core_->descriptors(*place.file) - first);
    descriptors_.resize(count);
    descriptors_of_ = nullptr;
    place.file->file().read(place.file->descriptors() + first * sizeof(kdump::PageDescriptor),
                            std::as_writable_bytes(std::span(descriptors_)));
    descriptors_of_ = place.file;
    first_descriptor_ = first;
}

} // namespace ballast::dump
