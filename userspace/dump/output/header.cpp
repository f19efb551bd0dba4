// SPDX-License-Identifier: GPL-2.0
#include "dump/output/header.hpp"

#include "dump/input/kdump_format.hpp"

#include <algorithm>
#include <cstring>
#include <limits>

namespace ballast::dump {

namespace {

kdump::DiskDumpHeader disk_dump_header(const Machine &machine, const Layout &layout, std::uint32_t status) {
    constexpr std::uint64_t most = std::numeric_limits<std::uint32_t>::max();
    return {
        .signature = kdump::signature,
        .header_version = kdump::header_version,
        .utsname = machine.utsname,
        .padding = {},
        .timestamp_seconds = machine.crash_seconds,
        .timestamp_microseconds = machine.crash_microseconds,
        .status = status,
        .block_size = static_cast<std::int32_t>(layout.block_size),
        .sub_hdr_size = static_cast<std::int32_t>(layout.sub_header_blocks),
        .bitmap_blocks = static_cast<std::uint32_t>(layout.bitmap_blocks()),
        .max_mapnr = static_cast<std::uint32_t>(std::min(layout.max_mapnr, most)),
        .total_ram_blocks = 0,
        .device_blocks = 0,
        .written_blocks = 0,
        .current_cpu = 0,
        .nr_cpus = static_cast<std::int32_t>(machine.cpus),
    };
}

/** Where in the file a part of the notes stands. */
template<typename Part>
std::uint64_t offset_in_file(const Core &core, const Layout &layout, Part part) {
    const auto *begin = reinterpret_cast<const std::byte *>(part.data());
    return layout.notes + static_cast<std::uint64_t>(begin - core.notes().data());
}

kdump::SubHeader sub_header(const Core &core, const Machine &machine, const Layout &layout, unsigned dump_level,
                            const std::optional<SplitRange> &split) {
    kdump::SubHeader header{};
    header.phys_base = static_cast<std::uint64_t>(machine.phys_base);
    header.dump_level = static_cast<std::int32_t>(dump_level);
    const std::string_view vmcoreinfo = core.format().notes().vmcoreinfo();
    if (!vmcoreinfo.empty()) {
        header.offset_vmcoreinfo = offset_in_file(core, layout, vmcoreinfo);
        header.size_vmcoreinfo = vmcoreinfo.size();
    }
    header.offset_note = layout.notes;
    header.size_note = core.notes().size();
    header.max_mapnr_64 = layout.max_mapnr;
    if (split) {
        constexpr std::uint64_t most = std::numeric_limits<std::uint32_t>::max();
        header.split = 1;
        header.start_pfn = std::min(split->begin, most);
        header.end_pfn = std::min(split->end, most);
        header.start_pfn_64 = split->begin;
        header.end_pfn_64 = split->end;
    }
    return header;
}

} // namespace

std::vector<std::byte> make_header_blocks(const Core &core, const Machine &machine, const Layout &layout,
                                          std::uint32_t status, unsigned dump_level,
                                          const std::optional<SplitRange> &split) {
    std::vector<std::byte> blocks(layout.present_bitmap);
    const auto first = disk_dump_header(machine, layout, status);
    const auto second = sub_header(core, machine, layout, dump_level, split);
    std::memcpy(blocks.data(), &first, sizeof(first));
    std::memcpy(blocks.data() + layout.sub_header, &second, sizeof(second));
    std::ranges::copy(core.notes(), blocks.begin() + static_cast<std::ptrdiff_t>(layout.notes));
    return blocks;
}

} // namespace ballast::dump
