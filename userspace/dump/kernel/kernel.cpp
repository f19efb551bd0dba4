// SPDX-License-Identifier: GPL-2.0
#include "dump/kernel/kernel.hpp"

#include "dump/input/vmcoreinfo.hpp"
#include "dump/kernel/address_space.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <span>
#include <string_view>

namespace ballast::dump {

namespace {

constexpr std::uint64_t kernel_text_start = 0xffffffff80000000; // Documentation/x86/x86_64/mm.rst

constexpr std::size_t utsname_field = 65;
constexpr std::size_t release_field = 2;

std::optional<PageTables> find_page_tables(const Vmcoreinfo &vmcoreinfo) {
    const auto phys_base = vmcoreinfo.number("phys_base");
    auto top = vmcoreinfo.symbol("init_top_pgt");
    if (!top) {
        top = vmcoreinfo.symbol("swapper_pg_dir"); // another name of it
    }
    if (!phys_base || !top) {
        return std::nullopt;
    }
    return PageTables{.root = *top - kernel_text_start + static_cast<std::uint64_t>(*phys_base),
                      .levels = vmcoreinfo.number("pgtable_l5_enabled").value_or(0) != 0 ? 5U : 4U,
                      .encryption_mask = static_cast<std::uint64_t>(vmcoreinfo.number("sme_mask").value_or(0))};
}

std::string_view field(const Utsname &utsname, std::size_t index) {
    const std::string_view bytes(utsname.data() + index * utsname_field, utsname_field);
    return bytes.substr(0, bytes.find('\0'));
}

/** The kernel's own utsname. It must agree with VMCOREINFO, or else the page tables are not the right ones. */
std::optional<Utsname> read_utsname(const Vmcoreinfo &vmcoreinfo, AddressSpace &memory, std::string_view release) {
    const auto symbol = vmcoreinfo.symbol("init_uts_ns");
    const auto offset = vmcoreinfo.offset("uts_namespace.name");
    Utsname utsname{};
    if (!symbol || !offset || !memory.read(*symbol + *offset, std::as_writable_bytes(std::span(utsname))) ||
        field(utsname, release_field) != release) {
        return std::nullopt;
    }
    return utsname;
}

/** What is left to say where the kernel's memory can't be read. */
Utsname utsname_of_release(std::string_view release) {
    Utsname utsname{};
    std::copy_n(release.begin(), std::min(release.size(), utsname_field - 1),
                utsname.begin() + release_field * utsname_field);
    return utsname;
}

} // namespace

Kernel Kernel::describe(const Core &core) {
    const Vmcoreinfo vmcoreinfo(core.vmcoreinfo());
    Kernel kernel;
    kernel.phys_base_ = vmcoreinfo.number("phys_base").value_or(0);
    kernel.release_ = vmcoreinfo.text("OSRELEASE").value_or("");
    kernel.utsname_ = utsname_of_release(kernel.release_);
    kernel.crash_time_ = vmcoreinfo.decimal("CRASHTIME");
    kernel.page_layout_ = page_layout_from(vmcoreinfo);

    const auto tables = find_page_tables(vmcoreinfo);
    if (!tables) {
        kernel.remarks_.emplace_back("VMCOREINFO doesn't tell where the kernel's page tables are: all pages are kept");
        return kernel;
    }
    kernel.page_tables_ = *tables;
    AddressSpace memory(core, *tables);
    const auto utsname = read_utsname(vmcoreinfo, memory, kernel.release_);
    if (!utsname) {
        kernel.remarks_.push_back(fmt::format(
            "the kernel's name '{}' isn't found through its page tables: all pages are kept", kernel.release_));
        return kernel;
    }
    kernel.utsname_ = *utsname;
    kernel.sections_ = find_memory_sections(vmcoreinfo, memory, core.page_size(), core.max_pfn(), kernel.remarks_);
    return kernel;
}

} // namespace ballast::dump
