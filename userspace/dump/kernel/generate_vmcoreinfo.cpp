// SPDX-License-Identifier: GPL-2.0
#include "dump/kernel/generate_vmcoreinfo.hpp"

#include "dump/input/error.hpp"
#include "dump/kernel/dwarf.hpp"
#include "dump/kernel/page_layout.hpp"
#include "dump/kernel/symbols.hpp"
#include "dump/kernel/vmlinux.hpp"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <iterator>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

namespace ballast::dump {

namespace {

/** A member of a struct, or an enumerator of an enum. */
struct Member {
    std::string_view type;
    std::string_view name;
};

// What the kernel itself tells (kernel/crash_core.c, since 6.10 kernel/vmcore_info.c) and what makedumpfile -g adds.
constexpr std::array<std::string_view, 25> symbols{"mem_section",
                                                   "init_uts_ns",
                                                   "_stext",
                                                   "swapper_pg_dir",
                                                   "init_top_pgt",
                                                   "level4_kernel_pgt",
                                                   "vmlist",
                                                   "vmap_area_list",
                                                   "node_states",
                                                   "node_online_map",
                                                   "node_data",
                                                   "prb",
                                                   "printk_rb_static",
                                                   "clear_seq",
                                                   "log_buf",
                                                   "log_buf_len",
                                                   "max_pfn",
                                                   "high_memory",
                                                   "free_huge_page",
                                                   "kallsyms_names",
                                                   "kallsyms_offsets",
                                                   "kallsyms_num_syms",
                                                   "kallsyms_token_table",
                                                   "kallsyms_token_index",
                                                   "kallsyms_relative_base"};

constexpr std::array<std::string_view, 16> sizes{
    "page",        "mem_section",       "pglist_data",   "zone",         "free_area",         "list_head",
    "nodemask_t",  "printk_ringbuffer", "prb_desc_ring", "prb_desc",     "prb_data_blk_lpos", "prb_data_ring",
    "printk_info", "dev_printk_info",   "latched_seq",   "atomic_long_t"};

constexpr std::array<Member, 53> offsets{{
    {"uts_namespace", "name"},
    {"mem_section", "section_mem_map"},
    {"page", "flags"},
    {"page", "_refcount"},
    {"page", "mapping"},
    {"page", "lru"},
    {"page", "_mapcount"},
    {"page", "private"},
    {"page", "compound_dtor"},
    {"page", "compound_order"},
    {"page", "compound_head"},
    {"page", "compound_info"},
    {"folio", "_folio_dtor"},
    {"folio", "_folio_order"},
    {"pglist_data", "node_zones"},
    {"pglist_data", "nr_zones"},
    {"pglist_data", "node_start_pfn"},
    {"pglist_data", "node_spanned_pages"},
    {"pglist_data", "node_id"},
    {"zone", "free_area"},
    {"zone", "vm_stat"},
    {"zone", "spanned_pages"},
    {"free_area", "free_list"},
    {"list_head", "next"},
    {"list_head", "prev"},
    {"vm_struct", "addr"},
    {"vmap_area", "va_start"},
    {"vmap_area", "list"},
    {"printk_ringbuffer", "desc_ring"},
    {"printk_ringbuffer", "text_data_ring"},
    {"printk_ringbuffer", "fail"},
    {"prb_desc_ring", "count_bits"},
    {"prb_desc_ring", "descs"},
    {"prb_desc_ring", "infos"},
    {"prb_desc_ring", "head_id"},
    {"prb_desc_ring", "tail_id"},
    {"prb_desc", "state_var"},
    {"prb_desc", "text_blk_lpos"},
    {"prb_data_blk_lpos", "begin"},
    {"prb_data_blk_lpos", "next"},
    {"prb_data_ring", "size_bits"},
    {"prb_data_ring", "data"},
    {"prb_data_ring", "head_lpos"},
    {"prb_data_ring", "tail_lpos"},
    {"printk_info", "seq"},
    {"printk_info", "ts_nsec"},
    {"printk_info", "text_len"},
    {"printk_info", "caller_id"},
    {"printk_info", "dev_info"},
    {"dev_printk_info", "subsystem"},
    {"dev_printk_info", "device"},
    {"atomic_long_t", "counter"},
    {"latched_seq", "val"},
}};

constexpr std::array<Member, 2> lengths{{{"zone", "free_area"}, {"free_area", "free_list"}}};

constexpr std::array<Member, 10> numbers{{
    {"zone_stat_item", "NR_FREE_PAGES"},
    {"node_states", "N_ONLINE"},
    {"pageflags", "PG_lru"},
    {"pageflags", "PG_private"},
    {"pageflags", "PG_swapcache"},
    {"pageflags", "PG_swapbacked"},
    {"pageflags", "PG_slab"},
    {"pageflags", "PG_hwpoison"},
    {"pageflags", "PG_hugetlb"},
    {"compound_dtor_id", "HUGETLB_PAGE_DTOR"},
}};

/** Lines as VMCOREINFO has them; what is absent has none. */
class Lines {
  public:
    template<typename Value>
    void add(std::string_view format_of_key, std::string_view name, std::optional<Value> value) {
        if (value) {
            fmt::format_to(std::back_inserter(text_), "{}({})={}\n", format_of_key, name, *value);
        }
    }

    void add_symbol(std::string_view name, std::optional<std::uint64_t> address) {
        if (address) {
            fmt::format_to(std::back_inserter(text_), "SYMBOL({})={:x}\n", name, *address);
        }
    }

    void add_line(std::string_view key, std::string_view value) { text_ += fmt::format("{}={}\n", key, value); }

    [[nodiscard]] std::string take() { return std::move(text_); }

  private:
    std::string text_;
};

/** A page's type as VMCOREINFO has it: the value of the whole _mapcount, signed. */
std::optional<std::int32_t> mapcount_value(const std::optional<PageType> &type) {
    return type ? std::optional(static_cast<std::int32_t>(type->value)) : std::nullopt;
}

void add_page_types(Lines &lines, const Types &types) {
    PageLayout layout;
    complete(layout, types);
    lines.add("NUMBER", "PG_head_mask", layout.head);
    lines.add("NUMBER", "PAGE_BUDDY_MAPCOUNT_VALUE", mapcount_value(layout.buddy_type));
    lines.add("NUMBER", "PAGE_OFFLINE_MAPCOUNT_VALUE", mapcount_value(layout.offline_type));
    lines.add("NUMBER", "PAGE_SLAB_MAPCOUNT_VALUE", mapcount_value(layout.slab_type));
    lines.add("NUMBER", "PAGE_HUGETLB_MAPCOUNT_VALUE", mapcount_value(layout.hugetlb_type));
    lines.add("NUMBER", "PAGE_UNACCEPTED_MAPCOUNT_VALUE", mapcount_value(layout.unaccepted_type));
}

} // namespace

std::string generate_vmcoreinfo(const std::string &vmlinux) {
    const std::string release = release_of_vmlinux(vmlinux);
    if (release.empty()) {
        throw Error(fmt::format("{}: not a vmlinux: it doesn't tell a kernel's release", vmlinux));
    }
    const Symbols found = symbols_in_vmlinux(vmlinux, Vmcoreinfo(""), {symbols.begin(), symbols.end()});
    const std::unique_ptr<Types> types = open_dwarf(vmlinux);
    Lines lines;
    lines.add_line("OSRELEASE", release);
    lines.add_line("PAGESIZE", "4096");
    for (const std::string_view name : symbols) {
        lines.add_symbol(name, address_of(found, name));
    }
    for (const std::string_view type : sizes) {
        lines.add("SIZE", type, types->size(type));
    }
    for (const auto &[type, member] : offsets) {
        lines.add("OFFSET", fmt::format("{}.{}", type, member), types->offset(type, member));
    }
    for (const auto &[type, member] : lengths) {
        lines.add("LENGTH", fmt::format("{}.{}", type, member), types->length(type, member));
    }
    for (const auto &[type, name] : numbers) {
        lines.add("NUMBER", name, types->enumerator(type, name));
    }
    add_page_types(lines, *types);
    // A macro, and so in no debug information (arch/x86/include/asm/sparsemem.h).
    lines.add_line("NUMBER(SECTION_SIZE_BITS)", "27");
    return lines.take();
}

} // namespace ballast::dump
