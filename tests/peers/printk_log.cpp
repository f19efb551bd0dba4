// SPDX-License-Identifier: GPL-2.0
#include "printk_log.hpp"

#include <cstring>
#include <fmt/format.h>
#include <optional>
#include <stdexcept>

namespace ballast::peers {

namespace {

/** What vmcoreinfo tells of the ring buffer's layout. */
class Layout {
  public:
    explicit Layout(const Kdumpfile &dump) : dump_(dump) {}

    [[nodiscard]] std::uint64_t symbol(const std::string &name) const { return number("SYMBOL(" + name + ")", 16); }
    [[nodiscard]] std::uint64_t offset(const std::string &member) const { return number("OFFSET(" + member + ")", 10); }
    [[nodiscard]] std::uint64_t size(const std::string &type) const { return number("SIZE(" + type + ")", 10); }

  private:
    [[nodiscard]] std::uint64_t number(const std::string &key, int base) const {
        const std::optional<std::string> text = dump_.vmcoreinfo(key);
        if (!text) {
            throw std::runtime_error("vmcoreinfo has no " + key + ": the kernel's log can't be found");
        }
        return std::stoull(*text, nullptr, base);
    }

    const Kdumpfile &dump_;
};

template<typename T>
T value_at(std::span<const std::byte> bytes, std::uint64_t offset) {
    T value = 0;
    if (offset > bytes.size() || bytes.size() - offset < sizeof(value)) {
        throw std::runtime_error("vmcoreinfo puts a member beyond the end of its struct");
    }
    std::memcpy(&value, bytes.subspan(offset).data(), sizeof(value));
    return value;
}

std::vector<std::byte> read_kernel(const Kdumpfile &dump, std::uint64_t address, std::uint64_t size) {
    std::vector<std::byte> bytes(size);
    dump.read_kernel(address, bytes);
    return bytes;
}

/** The ring of text blocks. Each block starts with the ID of its record, then comes the text. */
class TextRing {
  public:
    TextRing(const Kdumpfile &dump, const Layout &layout, std::span<const std::byte> ringbuffer) {
        const std::uint64_t ring = layout.offset("printk_ringbuffer.text_data_ring");
        size_ = 1ULL << value_at<std::uint32_t>(ringbuffer, ring + layout.offset("prb_data_ring.size_bits"));
        data_ =
            read_kernel(dump, value_at<std::uint64_t>(ringbuffer, ring + layout.offset("prb_data_ring.data")), size_);
    }

    /** The text of a block that spans the logical positions begin to next, at most length bytes. */
    [[nodiscard]] std::string text(std::uint64_t begin, std::uint64_t next, std::uint64_t length) const {
        constexpr std::uint64_t no_data = 1; // bit 0 of a position: the record has no block
        if ((begin & no_data) != 0 || (next & no_data) != 0) {
            return {};
        }
        // A block that would cross the end of the ring stands at its beginning instead.
        const std::uint64_t start = begin / size_ == next / size_ ? begin % size_ : 0;
        const std::uint64_t end = next % size_;
        if (start + sizeof(std::uint64_t) > end) {
            return {};
        }
        const auto block = std::span(data_).subspan(start, end - start).subspan(sizeof(std::uint64_t));
        return {reinterpret_cast<const char *>(block.data()), std::min<std::size_t>(length, block.size())};
    }

  private:
    std::uint64_t size_ = 0;
    std::vector<std::byte> data_;
};

/** The ring of descriptors, and of the infos beside them, found by a record's ID. */
class DescriptorRing {
  public:
    DescriptorRing(const Kdumpfile &dump, const Layout &layout, std::span<const std::byte> ringbuffer)
        : layout_(layout) {
        const std::uint64_t ring = layout.offset("printk_ringbuffer.desc_ring");
        const auto member = [&](const char *name) {
            return ring + layout.offset(std::string("prb_desc_ring.") + name);
        };
        count_ = 1ULL << value_at<std::uint32_t>(ringbuffer, member("count_bits"));
        head_ = value_at<std::uint64_t>(ringbuffer, member("head_id"));
        tail_ = value_at<std::uint64_t>(ringbuffer, member("tail_id"));
        descriptor_size_ = layout.size("prb_desc");
        info_size_ = layout.size("printk_info");
        descriptors_ =
            read_kernel(dump, value_at<std::uint64_t>(ringbuffer, member("descs")), count_ * descriptor_size_);
        infos_ = read_kernel(dump, value_at<std::uint64_t>(ringbuffer, member("infos")), count_ * info_size_);
    }

    [[nodiscard]] std::uint64_t oldest() const { return tail_; }
    [[nodiscard]] std::uint64_t count() const { return std::min(((head_ - tail_) & id_mask) + 1, count_); }

    /** Record id with its text, unless a writer was still at it or it has been reused. */
    [[nodiscard]] std::optional<LogRecord> record(std::uint64_t id, const TextRing &texts) const {
        constexpr std::uint64_t committed = 1;
        constexpr std::uint64_t finalized = 2;
        const auto descriptor = std::span(descriptors_).subspan(id % count_ * descriptor_size_, descriptor_size_);
        const auto state = value_at<std::uint64_t>(descriptor, layout_.offset("prb_desc.state_var"));
        if ((state & id_mask) != (id & id_mask) || (state >> id_bits != committed && state >> id_bits != finalized)) {
            return std::nullopt;
        }
        const std::uint64_t block = layout_.offset("prb_desc.text_blk_lpos");
        const auto begin = value_at<std::uint64_t>(descriptor, block + layout_.offset("prb_data_blk_lpos.begin"));
        const auto next = value_at<std::uint64_t>(descriptor, block + layout_.offset("prb_data_blk_lpos.next"));

        const auto info = std::span(infos_).subspan(id % count_ * info_size_, info_size_);
        const auto length = value_at<std::uint16_t>(info, layout_.offset("printk_info.text_len"));
        return LogRecord{.time_ns = value_at<std::uint64_t>(info, layout_.offset("printk_info.ts_nsec")),
                         .text = texts.text(begin, next, length)};
    }

  private:
    // A state variable holds the record's state in its two highest bits, its ID below.
    static constexpr unsigned id_bits = 62;
    static constexpr std::uint64_t id_mask = (1ULL << id_bits) - 1;

    const Layout &layout_;
    std::uint64_t count_ = 0;
    std::uint64_t head_ = 0;
    std::uint64_t tail_ = 0;
    std::uint64_t descriptor_size_ = 0;
    std::uint64_t info_size_ = 0;
    std::vector<std::byte> descriptors_;
    std::vector<std::byte> infos_;
};

} // namespace

std::vector<LogRecord> printk_log(const Kdumpfile &dump) {
    const Layout layout(dump);
    // prb is a pointer: to the static ring buffer, or to a larger one set up at boot.
    const auto pointer = read_kernel(dump, layout.symbol("prb"), sizeof(std::uint64_t));
    const auto ringbuffer = read_kernel(dump, value_at<std::uint64_t>(pointer, 0), layout.size("printk_ringbuffer"));
    const TextRing texts(dump, layout, ringbuffer);
    const DescriptorRing descriptors(dump, layout, ringbuffer);

    std::vector<LogRecord> records;
    for (std::uint64_t n = 0; n < descriptors.count(); n++) {
        if (auto record = descriptors.record(descriptors.oldest() + n, texts)) {
            records.push_back(std::move(*record));
        }
    }
    return records;
}

std::vector<std::string> dmesg_lines(const std::vector<LogRecord> &records) {
    std::vector<std::string> lines;
    for (const LogRecord &record : records) {
        const std::uint64_t microseconds = record.time_ns / 1000;
        const std::string time = fmt::format("[{:5}.{:06}] ", microseconds / 1'000'000, microseconds % 1'000'000);
        std::size_t begin = 0;
        while (begin <= record.text.size()) {
            const std::size_t end = std::min(record.text.find('\n', begin), record.text.size());
            lines.push_back(time + record.text.substr(begin, end - begin));
            begin = end + 1;
        }
    }
    return lines;
}

} // namespace ballast::peers
