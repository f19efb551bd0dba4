// SPDX-License-Identifier: GPL-2.0
#include "dump/output/header.hpp"

#include "dump/input/kdump_format.hpp"

#include <algorithm>
#include <cstring>
#include <limits>

namespace ballast::dump {

namespace {

kdump::DiskDumpHeader disk_dump_header(const Core &core, const Kernel &kernel, const Layout &layout, Codec codec) {
    constexpr std::uint64_t most = std::numeric_limits<std::uint32_t>::max();
    return {
        .signature = kdump::signature,
        .header_version = kdump::header_version,
        .utsname = kernel.utsname(),
        .padding = {},
        .timestamp_seconds = kernel.crash_time().value_or(0),
        .timestamp_microseconds = 0,
        .status = static_cast<std::uint32_t>(codec) | kdump::status_incomplete,
        .block_size = static_cast<std::int32_t>(layout.block_size),
        .sub_hdr_size = static_cast<std::int32_t>(layout.sub_header_blocks),
        .bitmap_blocks = static_cast<std::uint32_t>(layout.bitmap_blocks()),
        .max_mapnr = static_cast<std::uint32_t>(std::min(layout.max_mapnr, most)),
        .total_ram_blocks = 0,
        .device_blocks = 0,
        .written_blocks = 0,
        .current_cpu = 0,
        .nr_cpus = static_cast<std::int32_t>(std::max(core.prstatus_count(), 1U)),
    };
}

/** Where in the file a part of the notes stands. */
template<typename Part>
std::uint64_t offset_in_file(const Core &core, const Layout &layout, Part part) {
    const auto *begin = reinterpret_cast<const std::byte *>(part.data());
    return layout.notes + static_cast<std::uint64_t>(begin - core.notes().data());
}

kdump::SubHeader sub_header(const Core &core, const Kernel &kernel, const Layout &layout, unsigned dump_level) {
    kdump::SubHeader header{};
    header.phys_base = static_cast<std::uint64_t>(kernel.phys_base());
    header.dump_level = static_cast<std::int32_t>(dump_level);
    header.offset_vmcoreinfo = offset_in_file(core, layout, core.vmcoreinfo());
    header.size_vmcoreinfo = core.vmcoreinfo().size();
    header.offset_note = layout.notes;
    header.size_note = core.notes().size();
    header.max_mapnr_64 = layout.max_mapnr;
    return header;
}

} // namespace

std::vector<std::byte> make_header_blocks(const Core &core, const Kernel &kernel, const Layout &layout, Codec codec,
                                          unsigned dump_level) {
    std::vector<std::byte> blocks(layout.present_bitmap);
    const auto first = disk_dump_header(core, kernel, layout, codec);
    const auto second = sub_header(core, kernel, layout, dump_level);
    std::memcpy(blocks.data(), &first, sizeof(first));
    std::memcpy(blocks.data() + layout.sub_header, &second, sizeof(second));
    std::ranges::copy(core.notes(), blocks.begin() + static_cast<std::ptrdiff_t>(layout.notes));
    return blocks;
}

} // namespace ballast::dump
