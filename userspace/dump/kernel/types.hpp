// SPDX-License-Identifier: GPL-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace ballast::dump {

/** The dead kernel's own types, by their names in its source. What it doesn't have is empty. */
class Types {
  public:
    Types() = default;
    Types(const Types &) = delete;
    Types(Types &&) = delete;
    Types &operator=(const Types &) = delete;
    Types &operator=(Types &&) = delete;
    virtual ~Types() = default;

    /** Bytes that a struct takes. */
    [[nodiscard]] virtual std::optional<std::uint64_t> size(std::string_view type) const = 0;

    /** Where in a struct a member starts, in bytes; unnamed structs and unions inside are looked through. */
    [[nodiscard]] virtual std::optional<std::uint64_t> offset(std::string_view type, std::string_view member) const = 0;

    /** How many elements a member that is an array has. */
    [[nodiscard]] virtual std::optional<std::uint64_t> length(std::string_view type, std::string_view member) const = 0;

    /** The value of an enumerator. */
    [[nodiscard]] virtual std::optional<std::int64_t> enumerator(std::string_view type,
                                                                 std::string_view name) const = 0;

    /** Does it have this enum? */
    [[nodiscard]] virtual bool has_enum(std::string_view type) const = 0;
};

} // namespace ballast::dump
