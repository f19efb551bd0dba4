// SPDX-License-Identifier: GPL-2.0
#include "dump/kernel/kernel_memory.hpp"

#include "dump/kernel/page_table_walk.hpp"
#include "dump/kernel/per_cpu.hpp"
#include "dump/kernel/printk_log.hpp"

#include <algorithm>
#include <array>
#include <span>
#include <utility>

namespace ballast::dump {

namespace {

/** A part of the image, from one symbol to another, or where there is none, to a second. */
struct ImagePart {
    std::string_view begin;
    std::string_view end;
    std::string_view or_end;
};

// Between these the kernel frees what it doesn't need once it runs (arch/x86/mm/init.c, init_64.c, mem_encrypt_amd.c).
constexpr ImagePart code{"_text", "_etext", {}};
constexpr std::array<ImagePart, 3> data_parts{{{"__start_rodata", "__end_rodata", {}},
                                               {"_sdata", "__init_begin", {}},
                                               {"__nosave_begin", "__start_bss_decrypted_unused", "__bss_stop"}}};

constexpr std::array<std::string_view, 2> vmcoreinfo_names{"vmcoreinfo_data", "vmcoreinfo_note"};

constexpr std::uint64_t largest_part = std::uint64_t{1} << 30; // of the image: all of it has no more

/** Gathers the pages behind virtual addresses. */
class Gatherer {
  public:
    Gatherer(AddressSpace &memory, const Core &core)
        : memory_(&memory), page_size_(core.page_size()), left_(core.max_pfn() * core.page_size()) {}

    void add_physical(std::uint64_t address, std::uint64_t size) {
        const Pfn begin = address / page_size_;
        const Pfn end = (address + size + page_size_ - 1) / page_size_;
        if (!ranges_.empty() && ranges_.back().end == begin) {
            ranges_.back().end = end;
        } else {
            ranges_.push_back({begin, end});
        }
    }

    /** What isn't mapped is passed over, and what would make all larger than the machine's memory: a damaged core says
     * so. */
    void add(std::uint64_t address, std::uint64_t size) {
        if (size > left_) {
            return;
        }
        left_ -= size;
        const std::uint64_t end = address + size;
        while (address < end) {
            const auto place = memory_->translate(address);
            const std::uint64_t length =
                std::min(end - address, place ? place->bytes : page_size_ - address % page_size_);
            if (place) {
                add_physical(place->physical, length);
            }
            address += length;
        }
    }

    template<typename Value>
    std::optional<Value> value_at(std::uint64_t address) {
        Value value{};
        return memory_->read(address, std::as_writable_bytes(std::span(&value, 1))) ? std::optional(value)
                                                                                    : std::nullopt;
    }

    [[nodiscard]] const std::vector<PfnRange> &ranges() const { return ranges_; }

  private:
    AddressSpace *memory_;
    std::uint64_t page_size_;
    std::uint64_t left_; // bytes, of the machine's memory
    std::vector<PfnRange> ranges_;
};

/** Sorted, and what touches is one. */
std::vector<PfnRange> merged(std::vector<PfnRange> ranges) {
    std::sort(ranges.begin(), ranges.end(), [](auto &a, auto &b) { return a.begin < b.begin; });
    std::vector<PfnRange> merged;
    for (const PfnRange &range : ranges) {
        if (!merged.empty() && range.begin <= merged.back().end) {
            merged.back().end = std::max(merged.back().end, range.end);
        } else {
            merged.push_back(range);
        }
    }
    return merged;
}

void add_image_part(Gatherer &gatherer, const Symbols &symbols, const ImagePart &part) {
    const auto begin = address_of(symbols, part.begin);
    auto end = address_of(symbols, part.end);
    if (!end) {
        end = address_of(symbols, part.or_end);
    }
    if (begin && end && *begin < *end && *end - *begin <= largest_part) {
        gatherer.add(*begin, *end - *begin);
    }
}

/** Each CPU's copy of the per-CPU variables. */
void add_per_cpu_areas(Gatherer &gatherer, const PerCpu &per_cpu) {
    if (per_cpu.size() == 0) {
        return;
    }
    for (const std::uint64_t address : per_cpu.addresses(per_cpu.begin())) {
        gatherer.add(address, per_cpu.size());
    }
}

void add_vmcoreinfo(Gatherer &gatherer, const Symbols &symbols, std::uint64_t page_size) {
    for (const std::string_view name : vmcoreinfo_names) {
        const auto pointer = address_of(symbols, name);
        const auto address = pointer ? gatherer.value_at<std::uint64_t>(*pointer) : std::nullopt;
        if (address) {
            gatherer.add(*address, page_size);
        }
    }
}

} // namespace

std::vector<std::string_view> kernel_memory_symbols() {
    std::vector<std::string_view> names(PerCpu::symbols.begin(), PerCpu::symbols.end());
    names.insert(names.end(), vmcoreinfo_names.begin(), vmcoreinfo_names.end());
    names.insert(names.end(), {code.begin, code.end});
    for (const ImagePart &part : data_parts) {
        names.insert(names.end(), {part.begin, part.end});
        if (!part.or_end.empty()) {
            names.push_back(part.or_end);
        }
    }
    return names;
}

KernelMemory find_kernel_memory(const Core &core, const Vmcoreinfo &vmcoreinfo, const PageTables &tables,
                                const Symbols &symbols, const std::vector<MemorySection> &sections,
                                std::uint64_t struct_page_size) {
    AddressSpace memory(core, tables);
    Gatherer way_in(memory, core);
    for (const ImagePart &part : data_parts) {
        add_image_part(way_in, symbols, part);
    }
    add_vmcoreinfo(way_in, symbols, core.page_size());
    if (const auto log = PrintkLog::find(vmcoreinfo, memory)) {
        for (const auto &[address, size] : log->parts()) {
            way_in.add(address, size);
        }
    }
    visit_page_tables(core, tables, [&](std::uint64_t physical) { way_in.add_physical(physical, core.page_size()); });
    // Last, as a damaged core may claim thousands of CPUs.
    add_per_cpu_areas(way_in, PerCpu(memory, symbols));

    Gatherer others(memory, core);
    add_image_part(others, symbols, code);
    for (const MemorySection &section : sections) {
        others.add(section.mem_map, (section.end - section.first) * struct_page_size);
    }
    std::vector<PfnRange> all = way_in.ranges();
    all.insert(all.end(), others.ranges().begin(), others.ranges().end());
    return {.way_in = merged(way_in.ranges()), .all = merged(std::move(all))};
}

} // namespace ballast::dump
