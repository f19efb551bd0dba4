// SPDX-License-Identifier: GPL-2.0
#include "dump/kernel/btf.hpp"

#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace ballast::dump {

namespace {

constexpr std::uint64_t most_bytes = std::uint64_t{64} * 1024 * 1024; // kernels have some 5 MB
constexpr unsigned deepest = 16; // of unnamed structs in each other, arrays of arrays, names for names
constexpr std::uint64_t pointer_size = 8;

struct Free {
    void operator()(btf *types) const { btf__free(types); }
};
using Handle = std::unique_ptr<btf, Free>;

class BtfTypes final : public Types {
  public:
    explicit BtfTypes(Handle types) : types_(std::move(types)) {}

    [[nodiscard]] std::optional<TypeId> structure(std::string_view name) const override;
    [[nodiscard]] std::optional<Field> variable(std::string_view name) const override;
    [[nodiscard]] Type describe(TypeId type) const override { return describe(type, deepest); }
    [[nodiscard]] std::optional<Field> member(TypeId structure, std::string_view name) const override {
        return find_member(structure, name, deepest);
    }
    [[nodiscard]] std::optional<std::int64_t> enumerator(std::string_view type, std::string_view name) const override;
    [[nodiscard]] bool has_enum(std::string_view type) const override { return find_enum(type) != nullptr; }

  private:
    [[nodiscard]] std::optional<std::uint32_t> find(std::string_view name, std::uint32_t kind) const;

    /** The enum's type, be its values 32 or 64 bits wide. Null where there is none. */
    [[nodiscard]] const btf_type *find_enum(std::string_view name) const;

    /** Typedefs and qualifiers taken away, a declaration replaced by what it declares. Null for void. */
    [[nodiscard]] const btf_type *plain(TypeId type) const;
    [[nodiscard]] Type describe(TypeId type, unsigned depth) const;
    [[nodiscard]] std::optional<Field> find_member(TypeId type, std::string_view name, unsigned depth) const;

    Handle types_;
    mutable std::map<std::pair<std::string, std::uint32_t>, std::int32_t> found_; // each search goes through all types
};

std::optional<std::uint32_t> BtfTypes::find(std::string_view name, std::uint32_t kind) const {
    const auto [found, is_new] = found_.try_emplace({std::string(name), kind}, 0);
    if (is_new) {
        found->second = btf__find_by_name_kind(types_.get(), found->first.first.c_str(), kind);
    }
    return found->second > 0 ? std::optional(static_cast<std::uint32_t>(found->second)) : std::nullopt;
}

const btf_type *BtfTypes::find_enum(std::string_view name) const {
    auto id = find(name, BTF_KIND_ENUM);
    if (!id) {
        id = find(name, BTF_KIND_ENUM64);
    }
    return id ? btf__type_by_id(types_.get(), *id) : nullptr;
}

std::optional<TypeId> BtfTypes::structure(std::string_view name) const {
    const auto id = find(name, BTF_KIND_STRUCT);
    return id ? id : find(name, BTF_KIND_UNION);
}

std::optional<Field> BtfTypes::variable(std::string_view name) const {
    const auto id = find(name, BTF_KIND_VAR);
    return id ? std::optional(Field{.offset = 0, .type = btf__type_by_id(types_.get(), *id)->type}) : std::nullopt;
}

const btf_type *BtfTypes::plain(TypeId type) const {
    const btf_type *described = btf__type_by_id(types_.get(), static_cast<std::uint32_t>(type));
    const auto stands_for_another = [&described] {
        return described != nullptr &&
               (btf_is_mod(described) || btf_is_typedef(described) || btf_is_type_tag(described));
    };
    // In a damaged core types may stand for each other.
    for (unsigned n = 0; n < deepest && stands_for_another(); ++n) {
        described = btf__type_by_id(types_.get(), described->type);
    }
    if (stands_for_another()) {
        return nullptr;
    }
    if (described != nullptr && btf_is_fwd(described)) {
        const char *name = btf__name_by_offset(types_.get(), described->name_off);
        const auto whole = name != nullptr ? structure(name) : std::nullopt;
        return whole ? btf__type_by_id(types_.get(), static_cast<std::uint32_t>(*whole)) : nullptr;
    }
    return described != nullptr && btf_is_void(described) ? nullptr : described;
}

Type BtfTypes::describe(TypeId type, unsigned depth) const {
    const btf_type *described = plain(type);
    if (described == nullptr || depth == 0) {
        return {};
    }
    if (btf_is_ptr(described)) {
        const auto target = described->type;
        return {.kind = Type::Kind::pointer,
                .size = pointer_size,
                .target = target != 0 ? std::optional<TypeId>(target) : std::nullopt};
    }
    if (btf_is_array(described)) {
        const auto *array = btf_array(described);
        const std::uint64_t count = array->nelems;
        return {.kind = Type::Kind::array,
                .size = count * describe(array->type, depth - 1).size,
                .target = array->type,
                .count = count};
    }
    if (btf_is_composite(described)) {
        return {.kind = Type::Kind::structure, .size = described->size};
    }
    if (btf_is_int(described)) {
        return {.kind = Type::Kind::integer,
                .size = described->size,
                .is_signed = (btf_int_encoding(described) & BTF_INT_SIGNED) != 0};
    }
    if (btf_is_any_enum(described)) {
        return {.kind = Type::Kind::integer, .size = described->size, .is_signed = btf_kflag(described)};
    }
    return {};
}

std::optional<Field> BtfTypes::find_member(TypeId type, std::string_view name, unsigned depth) const {
    const btf_type *described = plain(type);
    if (depth == 0 || described == nullptr || !btf_is_composite(described)) {
        return std::nullopt;
    }
    for (std::uint32_t i = 0; i < btf_vlen(described); ++i) {
        const btf_member *member = &btf_members(described)[i];
        const char *text = btf__name_by_offset(types_.get(), member->name_off);
        const std::uint64_t offset = btf_member_bit_offset(described, i) / 8;
        if (text != nullptr && name == text) {
            return Field{.offset = offset, .type = member->type};
        }
        if (text == nullptr || *text == '\0') {
            const auto inside = find_member(member->type, name, depth - 1);
            if (inside) {
                return Field{.offset = offset + inside->offset, .type = inside->type};
            }
        }
    }
    return std::nullopt;
}

std::optional<std::int64_t> BtfTypes::enumerator(std::string_view type, std::string_view name) const {
    const btf_type *described = find_enum(type);
    if (described == nullptr) {
        return std::nullopt;
    }
    const bool is_wide = btf_is_enum64(described);
    for (std::uint32_t i = 0; i < btf_vlen(described); ++i) {
        const std::uint32_t name_at = is_wide ? btf_enum64(described)[i].name_off : btf_enum(described)[i].name_off;
        const char *text = btf__name_by_offset(types_.get(), name_at);
        if (text != nullptr && name == text) {
            return is_wide ? static_cast<std::int64_t>(btf_enum64_value(&btf_enum64(described)[i]))
                           : std::int64_t{btf_enum(described)[i].val};
        }
    }
    return std::nullopt;
}

} // namespace

std::unique_ptr<Types> parse_btf(std::span<const std::byte> bytes) {
    libbpf_set_print(nullptr); // it would explain to stderr what is wrong with it
    Handle types(btf__new(bytes.data(), static_cast<std::uint32_t>(bytes.size())));
    return types ? std::make_unique<BtfTypes>(std::move(types)) : nullptr;
}

std::unique_ptr<Types> read_btf(AddressSpace &memory, std::uint64_t begin, std::uint64_t end) {
    if (end <= begin || end - begin > most_bytes) {
        return nullptr;
    }
    std::vector<std::byte> bytes(end - begin);
    return memory.read(begin, bytes) ? parse_btf(bytes) : nullptr;
}

std::unique_ptr<Types> read_btf(AddressSpace &memory, const Symbols &symbols) {
    const auto begin = address_of(symbols, btf_symbols[0]);
    const auto end = address_of(symbols, btf_symbols[1]);
    std::unique_ptr<Types> types;
    if (begin && end) {
        types = read_btf(memory, *begin, *end);
    }
    return types;
}

} // namespace ballast::dump
