// SPDX-License-Identifier: GPL-2.0
#include "dump/kernel/kernel.hpp"

#include "dump/input/vmcoreinfo.hpp"
#include "dump/input/x86_64.hpp"
#include "dump/kernel/address_space.hpp"
#include "dump/kernel/btf.hpp"
#include "dump/kernel/dwarf.hpp"
#include "dump/kernel/vmlinux.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <memory>
#include <span>
#include <string_view>
#include <utility>

namespace ballast::dump {

namespace {

constexpr std::size_t release_field = 2;
constexpr std::uint64_t largest_struct = 4096; // of what the names stand in

std::optional<PageTables> find_page_tables(const Vmcoreinfo &vmcoreinfo) {
    const auto phys_base = vmcoreinfo.number("phys_base");
    auto top = vmcoreinfo.symbol("init_top_pgt");
    if (!top) {
        top = vmcoreinfo.symbol("swapper_pg_dir"); // another name of it
    }
    if (!phys_base || !top) {
        return std::nullopt;
    }
    return PageTables{.root = *top - image_start + static_cast<std::uint64_t>(*phys_base),
                      .levels = vmcoreinfo.number("pgtable_l5_enabled").value_or(0) != 0 ? 5U : 4U,
                      .encryption_mask = static_cast<std::uint64_t>(vmcoreinfo.number("sme_mask").value_or(0))};
}

std::string_view field(const Utsname &utsname, std::size_t index) {
    const std::string_view bytes(utsname.data() + index * utsname_field, utsname_field);
    return bytes.substr(0, bytes.find('\0'));
}

struct FoundUtsname {
    Utsname utsname;
    std::uint64_t physical = 0; // address
};

/**
 * The kernel's own utsname. It must agree with VMCOREINFO, or else the page tables are not the right ones. Before 5.11
 * VMCOREINFO doesn't tell where in init_uts_ns it is; then it is where the release's name comes out right.
 */
std::optional<FoundUtsname> find_utsname(const Vmcoreinfo &vmcoreinfo, AddressSpace &memory, std::string_view release) {
    const auto symbol = vmcoreinfo.symbol("init_uts_ns");
    auto offset = vmcoreinfo.offset("uts_namespace.name");
    if (!symbol || release.empty()) {
        return std::nullopt;
    }
    if (offset > largest_struct) {
        offset.reset();
    }
    constexpr std::uint64_t alignment = 4; // of what stands before it, a kref
    const std::uint64_t last = offset.value_or(16 * alignment);
    for (std::uint64_t at = offset.value_or(0); at <= last; at += alignment) {
        Utsname utsname{};
        if (memory.read(*symbol + at, std::as_writable_bytes(std::span(utsname))) &&
            field(utsname, release_field) == release) {
            return FoundUtsname{.utsname = utsname, .physical = memory.translate(*symbol + at)->physical};
        }
    }
    return std::nullopt;
}

/** What is left to say where the kernel's memory can't be read. */
Utsname utsname_of_release(std::string_view release) {
    Utsname utsname{};
    std::copy_n(release.begin(), std::min(release.size(), utsname_field - 1),
                utsname.begin() + release_field * utsname_field);
    return utsname;
}

std::vector<std::string_view> needed_symbols() {
    std::vector<std::string_view> names = kernel_memory_symbols();
    names.insert(names.end(), btf_symbols.begin(), btf_symbols.end());
    return names;
}

} // namespace

void Kernel::find_layouts(const Vmcoreinfo &vmcoreinfo, const Symbols &symbols, AddressSpace &memory,
                          const std::string &vmlinux) {
    page_layout_ = page_layout_from(vmcoreinfo);
    section_layout_ = section_layout_from(vmcoreinfo);
    const auto is_complete = [this] { return page_layout_.is_complete() && section_layout_.is_complete(); };
    const auto complete_by = [this](const std::unique_ptr<Types> &types) {
        if (types) {
            complete(page_layout_, *types);
            complete(section_layout_, *types);
        }
    };
    if (!is_complete()) {
        complete_by(read_btf(memory, symbols));
    }
    if (!is_complete() && !vmlinux.empty()) {
        complete_by(open_dwarf(vmlinux));
    }
    assume_order(page_layout_);
}

Kernel Kernel::describe(const Core &core, const std::string &vmlinux) {
    const Vmcoreinfo vmcoreinfo(core.vmcoreinfo());
    if (!vmlinux.empty()) {
        check_vmlinux(vmlinux, vmcoreinfo);
    }
    Kernel kernel;
    kernel.phys_base_ = vmcoreinfo.number("phys_base").value_or(0);
    kernel.release_ = vmcoreinfo.text("OSRELEASE").value_or("");
    kernel.utsname_ = utsname_of_release(kernel.release_);
    kernel.crash_time_ = vmcoreinfo.decimal("CRASHTIME");

    const auto tables = find_page_tables(vmcoreinfo);
    if (!tables) {
        kernel.remarks_.emplace_back("VMCOREINFO doesn't tell where the kernel's page tables are: all pages are kept");
        return kernel;
    }
    kernel.page_tables_ = *tables;
    AddressSpace memory(core, *tables);
    const auto utsname = find_utsname(vmcoreinfo, memory, kernel.release_);
    if (!utsname) {
        kernel.remarks_.push_back(fmt::format(
            "the kernel's name '{}' isn't found through its page tables: all pages are kept", kernel.release_));
        return kernel;
    }
    kernel.utsname_ = utsname->utsname;
    kernel.utsname_physical_ = utsname->physical;
    const Symbols symbols = find_symbols(vmcoreinfo, memory, needed_symbols(), vmlinux);
    kernel.find_layouts(vmcoreinfo, symbols, memory, vmlinux);
    kernel.sections_ = find_memory_sections(vmcoreinfo, kernel.section_layout_, kernel.page_layout_.size, memory,
                                            core.page_size(), core.max_pfn(), kernel.remarks_);
    kernel.memory_ = find_kernel_memory(core, vmcoreinfo, *tables, symbols, kernel.sections_, kernel.page_layout_.size);
    return kernel;
}

} // namespace ballast::dump
