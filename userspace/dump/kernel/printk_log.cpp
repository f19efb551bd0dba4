// SPDX-License-Identifier: GPL-2.0
#include "dump/kernel/printk_log.hpp"

#include "dump/input/error.hpp"

#include <algorithm>
#include <cstring>
#include <fmt/format.h>
#include <map>
#include <span>
#include <string_view>

namespace ballast::dump {

namespace {

constexpr unsigned most_bits = 31;              // of a ring's size
constexpr std::uint64_t largest_struct = 4096;  // bytes
constexpr std::uint32_t is_cpu = 1U << 31;      // of a caller
constexpr std::uint64_t flags_after_length = 3; // printk_info has text_len (2 bytes), facility, then flags and level
constexpr unsigned flag_newline = 2;            // enum printk_info_flags
constexpr unsigned flag_continuation = 8;

// A state variable has the record's state in its two highest bits, its id below (enum desc_state).
constexpr unsigned id_bits = 62;
constexpr std::uint64_t id_mask = (std::uint64_t{1} << id_bits) - 1;
constexpr std::uint64_t committed = 1;
constexpr std::uint64_t finalized = 2;

constexpr std::uint64_t no_data = 1; // bit 0 of a position: the record has no text
constexpr std::uint64_t block_id_size = sizeof(std::uint64_t);

template<typename Value>
Value load(std::span<const std::byte> bytes, std::uint64_t offset) {
    Value value{};
    if (offset <= bytes.size() && bytes.size() - offset >= sizeof value) {
        std::memcpy(&value, &bytes[offset], sizeof value);
    }
    return value;
}

/** Step by step, as a damaged core's sizes may be of anything. */
std::vector<std::byte> read_part(AddressSpace &memory, std::uint64_t address, std::uint64_t size) {
    constexpr std::uint64_t step = std::uint64_t{1} << 20U;
    std::vector<std::byte> bytes;
    while (bytes.size() < size) {
        const std::uint64_t begin = bytes.size();
        bytes.resize(begin + std::min(step, size - begin));
        if (!memory.read(address + begin, std::span(bytes).subspan(begin))) {
            throw Error(
                fmt::format("the kernel's log is not all in the core: {} bytes at {:#x} can't be read", size, address));
        }
    }
    return bytes;
}

/** The text of a block between two logical positions, as long as `length` at most. */
std::string text_of(std::span<const std::byte> texts, std::uint64_t begin, std::uint64_t next, std::uint64_t length) {
    if ((begin & no_data) != 0 || (next & no_data) != 0) {
        return {};
    }
    // A block that would cross the ring's end stands at its beginning. Positions only rise: the ring's size divides
    // 2^64, and next is that of the block behind.
    const std::uint64_t size = texts.size();
    const std::uint64_t start = begin / size == (next - 1) / size ? begin % size : 0;
    const std::uint64_t end = start + (begin / size == (next - 1) / size ? next - begin : next % size);
    if (end > size || end < start + block_id_size) {
        return {};
    }
    const auto block = texts.subspan(start + block_id_size, end - start - block_id_size);
    return {reinterpret_cast<const char *>(block.data()), std::min<std::size_t>(length, block.size())};
}

std::string prefix_of(const LogRecord &record) {
    constexpr std::uint64_t ns_per_s = 1000000000;
    std::string prefix = fmt::format("[{:5}.{:06}]", record.time / ns_per_s, record.time % ns_per_s / 1000);
    if (record.caller) {
        prefix += fmt::format(
            "[{:>6}]", fmt::format("{}{}", (*record.caller & is_cpu) != 0 ? 'C' : 'T', *record.caller & ~is_cpu));
    }
    return prefix + ' ';
}

} // namespace

std::optional<PrintkLog::Layout> PrintkLog::layout_from(const Vmcoreinfo &vmcoreinfo) {
    const auto descriptor = vmcoreinfo.size("prb_desc");
    const auto info = vmcoreinfo.size("printk_info");
    const auto state = vmcoreinfo.offset("prb_desc.state_var");
    const auto block = vmcoreinfo.offset("prb_desc.text_blk_lpos");
    const auto begin = vmcoreinfo.offset("prb_data_blk_lpos.begin");
    const auto next = vmcoreinfo.offset("prb_data_blk_lpos.next");
    const auto sequence = vmcoreinfo.offset("printk_info.seq");
    const auto time = vmcoreinfo.offset("printk_info.ts_nsec");
    const auto length = vmcoreinfo.offset("printk_info.text_len");
    const auto caller = vmcoreinfo.offset("printk_info.caller_id");
    if (!descriptor || !info || !state || !block || !begin || !next || !sequence || !time || !length ||
        *descriptor > largest_struct || *info > largest_struct) {
        return std::nullopt;
    }
    return Layout{.descriptor_size = *descriptor,
                  .info_size = *info,
                  .state = *state,
                  .begin = *block + *begin,
                  .next = *block + *next,
                  .sequence = *sequence,
                  .time = *time,
                  .length = *length,
                  .caller = caller.value_or(0),
                  .has_caller = caller.has_value()};
}

std::optional<PrintkLog> PrintkLog::find(const Vmcoreinfo &vmcoreinfo, AddressSpace &memory) {
    const auto layout = layout_from(vmcoreinfo);
    const auto pointer = vmcoreinfo.symbol("prb");
    const auto size = vmcoreinfo.size("printk_ringbuffer");
    const auto records = vmcoreinfo.offset("printk_ringbuffer.desc_ring");
    const auto texts = vmcoreinfo.offset("printk_ringbuffer.text_data_ring");
    const auto count_bits = vmcoreinfo.offset("prb_desc_ring.count_bits");
    const auto descriptors = vmcoreinfo.offset("prb_desc_ring.descs");
    const auto infos = vmcoreinfo.offset("prb_desc_ring.infos");
    const auto head = vmcoreinfo.offset("prb_desc_ring.head_id");
    const auto tail = vmcoreinfo.offset("prb_desc_ring.tail_id");
    const auto size_bits = vmcoreinfo.offset("prb_data_ring.size_bits");
    const auto data = vmcoreinfo.offset("prb_data_ring.data");
    PrintkLog log;
    if (!layout || !pointer || !size || *size > largest_struct || !records || !texts || !count_bits || !descriptors ||
        !infos || !head || !tail || !size_bits || !data ||
        !memory.read(*pointer, std::as_writable_bytes(std::span(&log.address_, 1)))) {
        return std::nullopt;
    }
    std::vector<std::byte> ring(*size);
    if (!memory.read(log.address_, ring)) {
        return std::nullopt;
    }
    const auto count_shift = load<std::uint32_t>(ring, *records + *count_bits);
    const auto size_shift = load<std::uint32_t>(ring, *texts + *size_bits);
    if (count_shift == 0 || count_shift > size_shift || size_shift > most_bits) {
        return std::nullopt;
    }
    log.layout_ = *layout;
    log.size_ = *size;
    log.count_ = std::uint64_t{1} << count_shift;
    log.text_size_ = std::uint64_t{1} << size_shift;
    log.descriptors_ = load<std::uint64_t>(ring, *records + *descriptors);
    log.infos_ = load<std::uint64_t>(ring, *records + *infos);
    log.head_ = load<std::uint64_t>(ring, *records + *head);
    log.tail_ = load<std::uint64_t>(ring, *records + *tail);
    log.texts_ = load<std::uint64_t>(ring, *texts + *data);
    return log;
}

std::vector<std::pair<std::uint64_t, std::uint64_t>> PrintkLog::parts() const {
    return {{address_, size_},
            {descriptors_, count_ * layout_.descriptor_size},
            {infos_, count_ * layout_.info_size},
            {texts_, text_size_}};
}

std::vector<LogRecord> PrintkLog::records(AddressSpace &memory) const {
    const std::vector<std::byte> descriptors = read_part(memory, descriptors_, count_ * layout_.descriptor_size);
    const std::vector<std::byte> infos = read_part(memory, infos_, count_ * layout_.info_size);
    const std::vector<std::byte> texts = read_part(memory, texts_, text_size_);

    std::vector<LogRecord> records;
    const std::uint64_t used = std::min(((head_ - tail_) & id_mask) + 1, count_);
    for (std::uint64_t id = tail_; id != tail_ + used; ++id) {
        const std::uint64_t place = id % count_;
        const auto descriptor =
            std::span(descriptors).subspan(place * layout_.descriptor_size, layout_.descriptor_size);
        const auto state = load<std::uint64_t>(descriptor, layout_.state);
        const bool is_whole = state >> id_bits == committed || state >> id_bits == finalized;
        if (!is_whole || (state & id_mask) != (id & id_mask)) {
            continue;
        }
        const auto info = std::span(infos).subspan(place * layout_.info_size, layout_.info_size);
        const auto flags = load<std::uint8_t>(info, layout_.length + flags_after_length);
        records.push_back(
            {.sequence = load<std::uint64_t>(info, layout_.sequence),
             .time = load<std::uint64_t>(info, layout_.time),
             .caller = layout_.has_caller ? std::optional(load<std::uint32_t>(info, layout_.caller)) : std::nullopt,
             .continues = (flags & flag_continuation) != 0,
             .ends_line = (flags & flag_newline) != 0,
             .text =
                 text_of(texts, load<std::uint64_t>(descriptor, layout_.begin),
                         load<std::uint64_t>(descriptor, layout_.next), load<std::uint16_t>(info, layout_.length))});
    }
    return records;
}

std::optional<std::uint64_t> cleared_sequence(const Vmcoreinfo &vmcoreinfo, AddressSpace &memory) {
    const auto symbol = vmcoreinfo.symbol("clear_seq");
    const auto size = vmcoreinfo.size("latched_seq"); // since 5.13; a plain number before
    const auto values = vmcoreinfo.offset("latched_seq.val");
    const bool is_latched = size && values && *size <= largest_struct;
    std::vector<std::byte> bytes(is_latched ? *size : sizeof(std::uint64_t));
    if (!symbol || !memory.read(*symbol, bytes)) {
        return std::nullopt;
    }
    if (!is_latched) {
        return load<std::uint64_t>(bytes, 0);
    }
    // Of two copies the count of changes, which comes first, tells the one that holds (include/linux/seqlock.h).
    const std::uint64_t valid = load<std::uint32_t>(bytes, 0) % 2;
    return load<std::uint64_t>(bytes, *values + valid * sizeof(std::uint64_t));
}

std::string log_text(const std::vector<LogRecord> &records, std::uint64_t first_sequence) {
    std::vector<std::string> lines;
    std::map<std::optional<std::uint32_t>, std::size_t> open; // each caller's line that has not ended
    for (const LogRecord &record : records) {
        if (record.sequence < first_sequence) {
            continue;
        }
        const auto begun = open.find(record.caller);
        const bool continues = record.continues && begun != open.end();
        std::size_t line = continues ? begun->second : lines.size();
        std::string_view rest = record.text;
        const std::string prefix = prefix_of(record);
        for (bool is_first = true; is_first || !rest.empty(); is_first = false) {
            const std::string_view piece = rest.substr(0, rest.find('\n'));
            rest.remove_prefix(std::min(rest.size(), piece.size() + 1));
            if (is_first && continues) {
                lines[line] += piece;
            } else {
                line = lines.size();
                lines.push_back(prefix + std::string(piece));
            }
        }
        open.erase(record.caller);
        if (!record.ends_line) {
            open.emplace(record.caller, line);
        }
    }
    std::string text;
    for (const std::string &line : lines) {
        text += line + '\n';
    }
    return text;
}

} // namespace ballast::dump
