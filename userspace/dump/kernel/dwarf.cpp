// SPDX-License-Identifier: GPL-2.0
#include "dump/kernel/dwarf.hpp"

#include "dump/input/error.hpp"
#include "dump/kernel/debug_file.hpp"

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <fmt/format.h>
#include <unordered_map>

namespace ballast::dump {

namespace {

constexpr unsigned deepest = 16;         // of unnamed structs in each other
constexpr unsigned most_qualifiers = 64; // typedefs and qualifiers of one type; damaged ones may have themselves

// Before DWARF 5 units of types have a section of their own, .debug_types, with offsets of its own.
constexpr Dwarf_Off in_debug_types = Dwarf_Off{1} << 63U;
constexpr unsigned first_without_debug_types = 5;

/** Where a DIE is found again. */
Dwarf_Off place_of(Dwarf_Die &die) {
    Dwarf_Half version = 0;
    std::uint8_t unit = 0;
    dwarf_cu_info(die.cu, &version, &unit, nullptr, nullptr, nullptr, nullptr, nullptr);
    const bool has_own_section = unit == DW_UT_type && version < first_without_debug_types;
    return dwarf_dieoffset(&die) | (has_own_section ? in_debug_types : 0);
}

/** Bytes without a sign of their own (DW_FORM_data1) have none: what is negative has DW_FORM_sdata. */
std::optional<std::int64_t> number(Dwarf_Die &die, unsigned attribute) {
    Dwarf_Attribute found{};
    Dwarf_Word value = 0;
    if (dwarf_attr_integrate(&die, attribute, &found) == nullptr || dwarf_formudata(&found, &value) != 0) {
        return std::nullopt;
    }
    return static_cast<std::int64_t>(value);
}

std::string_view name_of(Dwarf_Die &die) {
    const char *name = dwarf_diename(&die);
    return name != nullptr ? name : "";
}

/** Calls with each child until that returns true. */
template<typename Visit>
void visit_children(Dwarf_Die &die, Visit visit) {
    Dwarf_Die child{};
    for (int left = dwarf_child(&die, &child); left == 0; left = dwarf_siblingof(&child, &child)) {
        if (visit(child)) {
            return;
        }
    }
}

/** What the attribute DW_AT_type refers to. */
std::optional<Dwarf_Die> type_of(Dwarf_Die &die) {
    Dwarf_Attribute attribute{};
    Dwarf_Die type{};
    if (dwarf_attr_integrate(&die, DW_AT_type, &attribute) == nullptr ||
        dwarf_formref_die(&attribute, &type) == nullptr) {
        return std::nullopt;
    }
    return type;
}

/** The type without typedefs and qualifiers; none for void. */
std::optional<Dwarf_Die> peeled(Dwarf_Die type) {
    for (unsigned n = 0; n < most_qualifiers; n++) {
        switch (dwarf_tag(&type)) {
        case DW_TAG_typedef:
        case DW_TAG_const_type:
        case DW_TAG_volatile_type:
        case DW_TAG_restrict_type:
        case DW_TAG_atomic_type:
            break;
        default:
            return type;
        }
        const auto target = type_of(type);
        if (!target) {
            return std::nullopt;
        }
        type = *target;
    }
    return std::nullopt;
}

/** Where a variable was linked to; none for those that are declared, on a stack, or in a register. */
std::optional<std::uint64_t> address_of(Dwarf_Die &die) {
    Dwarf_Attribute location{};
    Dwarf_Op *operations = nullptr;
    std::size_t count = 0;
    if (dwarf_attr(&die, DW_AT_location, &location) == nullptr ||
        dwarf_getlocation(&location, &operations, &count) != 0 || count != 1 || operations[0].atom != DW_OP_addr) {
        return std::nullopt;
    }
    return operations[0].number;
}

/** Of all dimensions together; 0 where it isn't told. */
std::uint64_t count_elements(Dwarf_Die &array) {
    std::uint64_t count = 0;
    visit_children(array, [&count](Dwarf_Die &range) {
        const auto elements = number(range, DW_AT_count);
        const auto last = number(range, DW_AT_upper_bound);
        const std::int64_t length = elements.value_or(last.value_or(-1) + 1);
        count = (count == 0 ? 1 : count) * static_cast<std::uint64_t>(length);
        return count == 0;
    });
    return count;
}

bool is_structure(int tag) {
    return tag == DW_TAG_structure_type || tag == DW_TAG_union_type;
}

class DwarfTypes final : public Types {
  public:
    explicit DwarfTypes(const std::string &path) : file_(path), dwarf_(file_.dwarf()) {}

    [[nodiscard]] std::optional<TypeId> structure(std::string_view name) const override {
        return find(structures_, name);
    }
    [[nodiscard]] std::optional<Field> variable(std::string_view name) const override;
    [[nodiscard]] Type describe(TypeId type) const override;
    [[nodiscard]] std::optional<Field> member(TypeId structure, std::string_view name) const override;
    [[nodiscard]] std::optional<std::int64_t> enumerator(std::string_view type, std::string_view name) const override;
    [[nodiscard]] bool has_enum(std::string_view type) const override { return find(enums_, type).has_value(); }

  private:
    using Offset = Dwarf_Off; // of a DIE, by place_of()
    using Names = std::unordered_map<std::string_view, Offset>;

    std::optional<Offset> find(const Names &names, std::string_view name) const;
    bool read_unit() const;
    [[nodiscard]] std::optional<Dwarf_Die> die(Offset offset) const;
    [[nodiscard]] std::optional<Dwarf_Die> plain(Dwarf_Die type) const;
    [[nodiscard]] Type describe(TypeId type, unsigned depth) const;
    [[nodiscard]] std::optional<Field> find_member(Dwarf_Die &type, std::string_view name, unsigned depth) const;

    DebugFile file_;
    Dwarf *dwarf_;
    // How far units were read, and what was in them.
    mutable Dwarf_CU *unit_ = nullptr;
    mutable bool all_read_ = false;
    mutable Names structures_, enums_, variables_;
};

/** Reads unit after unit, as far as it takes; what was passed is remembered. */
std::optional<DwarfTypes::Offset> DwarfTypes::find(const Names &names, std::string_view name) const {
    for (;;) {
        if (const auto found = names.find(name); found != names.end()) {
            return found->second;
        }
        if (!read_unit()) {
            return std::nullopt;
        }
    }
}

bool DwarfTypes::read_unit() const {
    Dwarf_Die unit{};
    std::uint8_t type = 0;
    if (all_read_) {
        return false; // libdw would begin anew
    }
    const int result = dwarf_get_units(dwarf_, unit_, &unit_, nullptr, &type, &unit, nullptr);
    if (result < 0) {
        throw Error(fmt::format("{}: damaged debug information: {}", file_.path(), dwarf_errmsg(-1)));
    }
    all_read_ = result > 0;
    if (all_read_) {
        return false;
    }
    visit_children(unit, [this](Dwarf_Die &die) {
        const int tag = dwarf_tag(&die);
        if (tag == DW_TAG_variable && address_of(die)) {
            variables_.try_emplace(name_of(die), place_of(die));
        } else if ((is_structure(tag) || tag == DW_TAG_enumeration_type) && !name_of(die).empty() &&
                   dwarf_hasattr(&die, DW_AT_declaration) == 0) {
            (is_structure(tag) ? structures_ : enums_).try_emplace(name_of(die), place_of(die));
        } else if (tag == DW_TAG_typedef) {
            // A struct without a name of its own, as nodemask_t.
            const auto target = type_of(die);
            auto named = target ? peeled(*target) : std::nullopt;
            if (named && is_structure(dwarf_tag(&*named)) && name_of(*named).empty()) {
                structures_.try_emplace(name_of(die), place_of(*named));
            }
        }
        return false;
    });
    return true;
}

std::optional<Dwarf_Die> DwarfTypes::die(Offset offset) const {
    Dwarf_Die found{};
    const Dwarf_Die *there = (offset & in_debug_types) != 0
                                 ? dwarf_offdie_types(dwarf_, offset & ~in_debug_types, &found)
                                 : dwarf_offdie(dwarf_, offset, &found);
    return there != nullptr ? std::optional(found) : std::nullopt;
}

/** Typedefs and qualifiers taken away, a declaration replaced by what it declares. */
std::optional<Dwarf_Die> DwarfTypes::plain(Dwarf_Die type) const {
    auto found = peeled(type);
    if (found && is_structure(dwarf_tag(&*found)) && dwarf_hasattr(&*found, DW_AT_declaration) != 0) {
        const auto whole = structure(name_of(*found));
        return whole ? die(*whole) : std::nullopt;
    }
    return found;
}

std::optional<Field> DwarfTypes::variable(std::string_view name) const {
    const auto offset = find(variables_, name);
    auto found = offset ? die(*offset) : std::nullopt;
    auto type = found ? type_of(*found) : std::nullopt;
    return type ? std::optional(Field{.offset = address_of(*found).value_or(0), .type = place_of(*type)})
                : std::nullopt;
}

Type DwarfTypes::describe(TypeId type) const {
    return describe(type, deepest);
}

/** depth: of arrays in each other, at most. */
Type DwarfTypes::describe(TypeId type, unsigned depth) const {
    const auto named = die(type);
    auto found = named ? plain(*named) : std::nullopt;
    if (!found) {
        return {};
    }
    Type described{.kind = Type::Kind::other,
                   .size = static_cast<std::uint64_t>(number(*found, DW_AT_byte_size).value_or(0))};
    if (auto target = type_of(*found)) {
        described.target = place_of(*target);
    }
    switch (dwarf_tag(&*found)) {
    case DW_TAG_base_type:
    case DW_TAG_enumeration_type:
        described.kind = Type::Kind::integer;
        described.is_signed = number(*found, DW_AT_encoding) == DW_ATE_signed;
        break;
    case DW_TAG_pointer_type:
        described.kind = Type::Kind::pointer;
        break;
    case DW_TAG_array_type:
        described.kind = Type::Kind::array;
        described.count = count_elements(*found);
        described.size =
            described.target && depth > 1 ? described.count * describe(*described.target, depth - 1).size : 0;
        break;
    case DW_TAG_structure_type:
    case DW_TAG_union_type:
        described.kind = Type::Kind::structure;
        break;
    default:
        break;
    }
    return described;
}

std::optional<Field> DwarfTypes::member(TypeId structure, std::string_view name) const {
    const auto named = die(structure);
    auto found = named ? plain(*named) : std::nullopt;
    return found ? find_member(*found, name, deepest) : std::nullopt;
}

std::optional<Field> DwarfTypes::find_member(Dwarf_Die &type, std::string_view name, unsigned depth) const {
    std::optional<Field> found;
    visit_children(type, [&](Dwarf_Die &child) {
        auto child_type = dwarf_tag(&child) == DW_TAG_member ? type_of(child) : std::nullopt;
        if (!child_type) {
            return false;
        }
        const auto offset = static_cast<std::uint64_t>(number(child, DW_AT_data_member_location).value_or(0));
        if (name_of(child) == name) {
            found = Field{.offset = offset, .type = place_of(*child_type)};
        } else if (name_of(child).empty() && depth > 1) {
            auto inside = plain(*child_type);
            found = inside ? find_member(*inside, name, depth - 1) : std::nullopt;
            if (found) {
                found->offset += offset;
            }
        }
        return found.has_value();
    });
    return found;
}

std::optional<std::int64_t> DwarfTypes::enumerator(std::string_view type, std::string_view name) const {
    const auto offset = find(enums_, type);
    auto found = offset ? die(*offset) : std::nullopt;
    std::optional<std::int64_t> value;
    if (found) {
        visit_children(*found, [&](Dwarf_Die &child) {
            if (dwarf_tag(&child) != DW_TAG_enumerator || name_of(child) != name) {
                return false;
            }
            value = number(child, DW_AT_const_value);
            return true;
        });
    }
    return value;
}

} // namespace

std::unique_ptr<Types> open_dwarf(const std::string &vmlinux) {
    return std::make_unique<DwarfTypes>(vmlinux);
}

} // namespace ballast::dump
