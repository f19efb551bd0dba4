// SPDX-License-Identifier: GPL-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace ballast::dump {

/** By which Types knows a type. */
using TypeId = std::uint64_t;

/** What a type is, its typedefs and qualifiers taken away. */
struct Type {
    enum class Kind {
        integer, // also characters and enums
        pointer,
        array,
        structure, // also unions
        other      // void, functions, …
    };

    Kind kind = Kind::other;
    std::uint64_t size = 0;         // bytes; 0: unknown
    bool is_signed = false;         // of an integer
    std::optional<TypeId> target{}; // a pointer's or an array's; none: void
    std::uint64_t count = 0;        // of an array's elements
};

/** A part of a struct, or a global variable. */
struct Field {
    std::uint64_t offset = 0; // in the struct, in bytes; of a variable: its address as linked, 0 where that isn't told
    TypeId type = 0;
};

/** The dead kernel's own types, by their names in its source. What it doesn't have is empty. */
class Types {
  public:
    Types() = default;
    Types(const Types &) = delete;
    Types(Types &&) = delete;
    Types &operator=(const Types &) = delete;
    Types &operator=(Types &&) = delete;
    virtual ~Types() = default;

    /** A struct or a union. */
    [[nodiscard]] virtual std::optional<TypeId> structure(std::string_view name) const = 0;

    /** A variable outside of functions. */
    [[nodiscard]] virtual std::optional<Field> variable(std::string_view name) const = 0;

    /** A struct that is only named there is the one that is described elsewhere. */
    [[nodiscard]] virtual Type describe(TypeId type) const = 0;

    /** Unnamed structs and unions inside are looked through. */
    [[nodiscard]] virtual std::optional<Field> member(TypeId structure, std::string_view name) const = 0;

    /** The value of an enumerator. */
    [[nodiscard]] virtual std::optional<std::int64_t> enumerator(std::string_view type,
                                                                 std::string_view name) const = 0;

    /** Does it have this enum? */
    [[nodiscard]] virtual bool has_enum(std::string_view type) const = 0;

    /** Bytes that a struct takes. */
    [[nodiscard]] std::optional<std::uint64_t> size(std::string_view type) const;

    /** Where in a struct a member starts, in bytes. */
    [[nodiscard]] std::optional<std::uint64_t> offset(std::string_view type, std::string_view member_name) const;

    /** How many elements a member that is an array has. */
    [[nodiscard]] std::optional<std::uint64_t> length(std::string_view type, std::string_view member_name) const;

  private:
    [[nodiscard]] std::optional<Field> member_of(std::string_view type, std::string_view name) const;
};

} // namespace ballast::dump
