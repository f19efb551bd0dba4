// SPDX-License-Identifier: GPL-2.0
#include "dump/input/core.hpp"

#include "dump/input/elf_core.hpp"
#include "dump/input/error.hpp"
#include "dump/input/given_vmcoreinfo.hpp"
#include "dump/input/kdump_core.hpp"
#include "dump/input/page_reader.hpp"
#include "dump/input/vmcoreinfo.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <utility>

namespace ballast::dump {

namespace {

constexpr std::uint64_t x86_page_size = 4096;

// A damaged program header can claim memory at an address for which a bitmap takes GBs. No real machine's bitmap is
// larger than its memory, nor than this where there is little memory.
constexpr std::uint64_t any_bitmap = 64 << 20;

std::unique_ptr<CoreFormat> open_format(std::span<const std::string> paths, const CoreOptions &options) {
    std::vector<File> files;
    for (const std::string &path : paths) {
        files.emplace_back(path);
        if (!options.allow_mapping) {
            files.back().forbid_mapping();
        }
    }
    if (KdumpFile::is_kdump(files.front())) {
        for (const File &file : files) {
            if (!KdumpFile::is_kdump(file)) {
                throw Error(fmt::format("{}: not a kdump-compressed file, as {} is", file.path(), files[0].path()));
            }
        }
        return std::make_unique<KdumpCore>(std::move(files), options.partial);
    }
    if (files.size() > 1) {
        throw Error(fmt::format("{}: not a part of a split dump; other cores are single files", files[0].path()));
    }
    return std::make_unique<ElfCore>(std::move(files.front()));
}

} // namespace

Core Core::open(const std::string &path) {
    return open(std::span(&path, 1));
}

Core Core::open(std::span<const std::string> paths, const CoreOptions &options) {
    return {paths.front(), open_format(paths, options), options};
}

Core::Core(std::string path, std::unique_ptr<CoreFormat> format, const CoreOptions &options)
    : path_(std::move(path)), format_(std::move(format)) {
    if (!options.vmcoreinfo.empty()) {
        given_vmcoreinfo_ = complete_given_vmcoreinfo(options.vmcoreinfo, format_->notes().vmcoreinfo(),
                                                      format_->segments(x86_page_size));
    }
    if (vmcoreinfo().empty()) {
        throw Error(fmt::format("{}: no VMCOREINFO note: the kernel in this core doesn't describe itself (-i gives a "
                                "description)",
                                path_));
    }
    if (format_->memory_end() == 0) {
        throw Error(fmt::format("{}: no memory in this core: it has no PT_LOAD with data", path_));
    }
    const auto page_size = Vmcoreinfo(vmcoreinfo()).decimal("PAGESIZE");
    if (page_size != x86_page_size) {
        throw Error(fmt::format("{}: VMCOREINFO tells {} as page size, not {} as on x86-64", path_,
                                page_size ? std::to_string(*page_size) : "nothing", x86_page_size));
    }
    page_size_ = x86_page_size;
    if (max_pfn() / 8 > std::max(format_->file_size(), any_bitmap)) {
        throw Error(fmt::format("{}: not a core: {} bytes long, but its program headers claim memory up to {:#x}",
                                path_, format_->file_size(), format_->memory_end()));
    }
}

Pfn Core::max_pfn() const {
    return (format_->memory_end() + page_size_ - 1) / page_size_;
}

std::string_view Core::vmcoreinfo() const {
    return given_vmcoreinfo_ ? *given_vmcoreinfo_ : format_->notes().vmcoreinfo();
}

PageReader Core::reader() const {
    return PageReader(*this);
}

} // namespace ballast::dump
