// SPDX-License-Identifier: GPL-2.0
#include "dump/kernel/printk_ring.hpp"

#include <cstring>
#include <span>
#include <string>

namespace ballast::dump {

namespace {

constexpr unsigned most_bits = 31; // of a ring's size

/** A copy of a struct of the kernel's, and where its members are. */
class Struct {
  public:
    /** Empty where VMCOREINFO doesn't tell its size, or memory can't be read. */
    static std::optional<Struct> read(const Vmcoreinfo &vmcoreinfo, AddressSpace &memory, std::uint64_t address,
                                      const std::string &type) {
        const auto size = vmcoreinfo.size(type);
        constexpr std::uint64_t largest = 4096;
        if (!size || *size > largest) {
            return std::nullopt;
        }
        Struct copy(vmcoreinfo, *size);
        return memory.read(address, copy.bytes_) ? std::optional(std::move(copy)) : std::nullopt;
    }

    /** A member of a member's type is named as "outer", "inner.member". */
    template<typename Value>
    [[nodiscard]] std::optional<Value> value(const std::string &outer, const std::string &inner) const {
        const auto outer_at = vmcoreinfo_->offset(outer);
        const auto inner_at = vmcoreinfo_->offset(inner);
        if (!outer_at || !inner_at || *outer_at > bytes_.size() || *inner_at > bytes_.size() - *outer_at ||
            bytes_.size() - *outer_at - *inner_at < sizeof(Value)) {
            return std::nullopt;
        }
        Value value{};
        std::memcpy(&value, &bytes_[*outer_at + *inner_at], sizeof value);
        return value;
    }

  private:
    Struct(const Vmcoreinfo &vmcoreinfo, std::uint64_t size) : vmcoreinfo_(&vmcoreinfo), bytes_(size) {}

    const Vmcoreinfo *vmcoreinfo_;
    std::vector<std::byte> bytes_;
};

} // namespace

std::vector<std::pair<std::uint64_t, std::uint64_t>> printk_ring_memory(const Vmcoreinfo &vmcoreinfo,
                                                                        AddressSpace &memory) {
    const auto pointer = vmcoreinfo.symbol("prb");
    std::uint64_t address = 0;
    if (!pointer || !memory.read(*pointer, std::as_writable_bytes(std::span(&address, 1)))) {
        return {};
    }
    const auto ring = Struct::read(vmcoreinfo, memory, address, "printk_ringbuffer");
    const auto descriptor_size = vmcoreinfo.size("prb_desc");
    const auto info_size = vmcoreinfo.size("printk_info");
    if (!ring || !descriptor_size || !info_size) {
        return {};
    }
    const std::string descriptors = "printk_ringbuffer.desc_ring";
    const std::string texts = "printk_ringbuffer.text_data_ring";
    const auto count_bits = ring->value<std::uint32_t>(descriptors, "prb_desc_ring.count_bits");
    const auto descriptors_at = ring->value<std::uint64_t>(descriptors, "prb_desc_ring.descs");
    const auto infos_at = ring->value<std::uint64_t>(descriptors, "prb_desc_ring.infos");
    const auto size_bits = ring->value<std::uint32_t>(texts, "prb_data_ring.size_bits");
    const auto texts_at = ring->value<std::uint64_t>(texts, "prb_data_ring.data");
    if (!count_bits || !descriptors_at || !infos_at || !size_bits || !texts_at || *count_bits > most_bits ||
        *size_bits > most_bits) {
        return {};
    }
    const std::uint64_t count = std::uint64_t{1} << *count_bits;
    return {{address, *vmcoreinfo.size("printk_ringbuffer")},
            {*descriptors_at, count * *descriptor_size},
            {*infos_at, count * *info_size},
            {*texts_at, std::uint64_t{1} << *size_bits}};
}

} // namespace ballast::dump
