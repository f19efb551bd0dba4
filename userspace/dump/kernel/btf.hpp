// SPDX-License-Identifier: GPL-2.0
#pragma once

#include "dump/kernel/address_space.hpp"
#include "dump/kernel/types.hpp"

#include <cstdint>
#include <memory>
#include <span>

struct btf;

namespace ballast::dump {

/** Types as BTF describes them (Documentation/bpf/btf.rst), which kernels carry in their own memory. */
class BtfTypes final : public Types {
  public:
    /** Null for what isn't valid BTF. */
    static std::unique_ptr<BtfTypes> parse(std::span<const std::byte> bytes);

    /** The BTF that stands between two addresses of the kernel. Null where it can't be read or isn't valid. */
    static std::unique_ptr<BtfTypes> read(AddressSpace &memory, std::uint64_t begin, std::uint64_t end);

    [[nodiscard]] std::optional<std::uint64_t> size(std::string_view type) const override;
    [[nodiscard]] std::optional<std::uint64_t> offset(std::string_view type, std::string_view member) const override;
    [[nodiscard]] std::optional<std::uint64_t> length(std::string_view type, std::string_view member) const override;
    [[nodiscard]] std::optional<std::int64_t> enumerator(std::string_view type, std::string_view name) const override;
    [[nodiscard]] bool has_enum(std::string_view type) const override;

  private:
    struct Free {
        void operator()(btf *types) const;
    };
    using Handle = std::unique_ptr<btf, Free>;

    struct Member {
        std::uint64_t offset = 0; // bytes
        std::uint32_t type = 0;
    };

    explicit BtfTypes(Handle types) : types_(std::move(types)) {}
    [[nodiscard]] std::optional<Member> find_member(std::uint32_t type, std::string_view name, unsigned depth) const;
    [[nodiscard]] std::optional<Member> member(std::string_view type, std::string_view name) const;

    Handle types_;
};

} // namespace ballast::dump
