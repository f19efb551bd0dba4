// SPDX-License-Identifier: GPL-2.0
#include "dump/kernel/dwarf.hpp"

#include "dump/input/error.hpp"

#include <cerrno>
#include <dwarf.h>
#include <elfutils/libdw.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <map>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace ballast::dump {

namespace {

constexpr unsigned deepest = 16; // of unnamed structs in each other

struct EndDwarf {
    void operator()(Dwarf *dwarf) const { dwarf_end(dwarf); }
};
using Handle = std::unique_ptr<Dwarf, EndDwarf>;

class Descriptor {
  public:
    explicit Descriptor(int descriptor) : descriptor_(descriptor) {}
    Descriptor(const Descriptor &) = delete;
    Descriptor(Descriptor &&) = delete;
    Descriptor &operator=(const Descriptor &) = delete;
    Descriptor &operator=(Descriptor &&) = delete;
    ~Descriptor() {
        if (descriptor_ >= 0) {
            ::close(descriptor_);
        }
    }

    [[nodiscard]] int get() const { return descriptor_; }

  private:
    int descriptor_;
};

std::optional<std::int64_t> number(Dwarf_Die &die, unsigned attribute) {
    Dwarf_Attribute found{};
    Dwarf_Sword value = 0;
    if (dwarf_attr_integrate(&die, attribute, &found) == nullptr || dwarf_formsdata(&found, &value) != 0) {
        return std::nullopt;
    }
    return value;
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

/** The type of a member, typedefs and qualifiers taken away. */
std::optional<Dwarf_Die> type_of(Dwarf_Die &die) {
    Dwarf_Attribute attribute{};
    Dwarf_Die type{};
    Dwarf_Die plain{};
    if (dwarf_attr_integrate(&die, DW_AT_type, &attribute) == nullptr ||
        dwarf_formref_die(&attribute, &type) == nullptr || dwarf_peel_type(&type, &plain) != 0) {
        return std::nullopt;
    }
    return plain;
}

class DwarfTypes final : public Types {
  public:
    explicit DwarfTypes(const std::string &path) : file_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
        if (file_.get() < 0) {
            throw Error(fmt::format("{}: {}", path, std::generic_category().message(errno)));
        }
        dwarf_.reset(dwarf_begin(file_.get(), DWARF_C_READ));
        if (!dwarf_) {
            throw Error(fmt::format("{}: no debug information that can be read: {}; give the vmlinux of the kernel's "
                                    "debug package",
                                    path, dwarf_errmsg(-1)));
        }
    }

    [[nodiscard]] std::optional<std::uint64_t> size(std::string_view type) const override {
        auto die = find(DW_TAG_structure_type, type);
        const auto size = die ? number(*die, DW_AT_byte_size) : std::nullopt;
        return size ? std::optional(static_cast<std::uint64_t>(*size)) : std::nullopt;
    }

    [[nodiscard]] std::optional<std::uint64_t> offset(std::string_view type, std::string_view member) const override {
        const auto found = find_member(type, member);
        return found ? std::optional(found->offset) : std::nullopt;
    }

    [[nodiscard]] std::optional<std::uint64_t> length(std::string_view type, std::string_view member) const override {
        auto found = find_member(type, member);
        auto array = found ? type_of(found->die) : std::nullopt;
        std::optional<std::uint64_t> length;
        if (array && dwarf_tag(&*array) == DW_TAG_array_type) {
            visit_children(*array, [&length](Dwarf_Die &range) {
                const auto count = number(range, DW_AT_count);
                const auto last = number(range, DW_AT_upper_bound);
                if (count || last) {
                    length = static_cast<std::uint64_t>(count ? *count : *last + 1);
                }
                return true;
            });
        }
        return length;
    }

    [[nodiscard]] std::optional<std::int64_t> enumerator(std::string_view type, std::string_view name) const override {
        auto die = find(DW_TAG_enumeration_type, type);
        std::optional<std::int64_t> value;
        if (die) {
            visit_children(*die, [&](Dwarf_Die &child) {
                if (dwarf_tag(&child) != DW_TAG_enumerator || name_of(child) != name) {
                    return false;
                }
                value = number(child, DW_AT_const_value);
                return true;
            });
        }
        return value;
    }

    [[nodiscard]] bool has_enum(std::string_view type) const override {
        return find(DW_TAG_enumeration_type, type).has_value();
    }

  private:
    struct Member {
        std::uint64_t offset = 0; // bytes
        Dwarf_Die die{};
    };

    /** Reads unit after unit, as far as it takes; what was passed is remembered. */
    [[nodiscard]] std::optional<Dwarf_Die> find(int tag, std::string_view name) const {
        const std::pair key(tag, std::string(name));
        while (!types_.contains(key)) {
            if (!read_unit()) {
                return std::nullopt;
            }
        }
        return types_.at(key);
    }

    bool read_unit() const {
        Dwarf_Die unit{};
        std::uint8_t type = 0;
        if (dwarf_get_units(dwarf_.get(), unit_, &unit_, nullptr, &type, &unit, nullptr) != 0) {
            return false;
        }
        visit_children(unit, [this](Dwarf_Die &die) {
            const int tag = dwarf_tag(&die);
            const bool counts = (tag == DW_TAG_structure_type || tag == DW_TAG_enumeration_type) &&
                                !name_of(die).empty() && dwarf_hasattr(&die, DW_AT_declaration) == 0;
            if (counts) {
                types_.try_emplace({tag, std::string(name_of(die))}, die);
            }
            return false;
        });
        return true;
    }

    [[nodiscard]] std::optional<Member> find_member(std::string_view type, std::string_view name) const {
        auto die = find(DW_TAG_structure_type, type);
        return die ? find_member(*die, name, deepest) : std::nullopt;
    }

    static std::optional<Member> find_member(Dwarf_Die &type, std::string_view name, unsigned depth) {
        std::optional<Member> found;
        visit_children(type, [&](Dwarf_Die &child) {
            if (dwarf_tag(&child) != DW_TAG_member) {
                return false;
            }
            const auto offset = static_cast<std::uint64_t>(number(child, DW_AT_data_member_location).value_or(0));
            if (name_of(child) == name) {
                found = Member{.offset = offset, .die = child};
            } else if (name_of(child).empty() && depth > 1) {
                auto inside = type_of(child);
                found = inside ? find_member(*inside, name, depth - 1) : std::nullopt;
                if (found) {
                    found->offset += offset;
                }
            }
            return found.has_value();
        });
        return found;
    }

    Descriptor file_;
    Handle dwarf_;
    // How far units were read, and what was in them.
    mutable Dwarf_CU *unit_ = nullptr;
    mutable std::map<std::pair<int, std::string>, Dwarf_Die> types_;
};

} // namespace

std::unique_ptr<Types> open_dwarf(const std::string &vmlinux) {
    return std::make_unique<DwarfTypes>(vmlinux);
}

} // namespace ballast::dump
