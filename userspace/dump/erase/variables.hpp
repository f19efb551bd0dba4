// SPDX-License-Identifier: GPL-2.0
#pragma once

#include "dump/input/core.hpp"
#include "dump/kernel/kernel.hpp"
#include "dump/kernel/symbols.hpp"
#include "dump/kernel/typed_data.hpp"
#include "dump/kernel/types.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ballast::dump {

/** The global variables of the kernel or of a module, with their types. */
class Variables {
  public:
    Variables(std::unique_ptr<Types> types, Symbols symbols) : types_(std::move(types)), symbols_(std::move(symbols)) {}
    Variables(const Variables &) = delete;
    Variables(Variables &&) = delete;
    Variables &operator=(const Variables &) = delete;
    Variables &operator=(Variables &&) = delete;
    virtual ~Variables() = default;

    /** Null where nothing tells any. */
    [[nodiscard]] const Types *types() const { return types_.get(); }

    [[nodiscard]] const Symbols &symbols() const { return symbols_; }

    /** The variable; of a per-CPU one each CPU's. None where it isn't known what it is, or where. */
    [[nodiscard]] virtual std::vector<TypedData> find(std::string_view name) const = 0;

  private:
    std::unique_ptr<Types> types_;
    Symbols symbols_;
};

/** Looks the names up in the kernel; types come from vmlinux, or where that is empty from the kernel's BTF. */
std::unique_ptr<Variables> kernel_variables(const Core &core, AddressSpace &memory, const std::string &vmlinux,
                                            std::vector<std::string_view> names);

/** Looks the names up in a module at the address of its struct module, types come from the file. */
std::unique_ptr<Variables> module_variables(AddressSpace &memory, const Types &kernel_types, std::uint64_t module,
                                            const std::string &file, const std::vector<std::string_view> &names);

/** The symbol whose list find_module() takes; kernel_variables() looks it up, too. */
constexpr std::string_view modules_symbol = "modules";

} // namespace ballast::dump
