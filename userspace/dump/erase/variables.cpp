// SPDX-License-Identifier: GPL-2.0
#include "dump/erase/variables.hpp"

#include "dump/kernel/btf.hpp"
#include "dump/kernel/dwarf.hpp"
#include "dump/kernel/modules.hpp"
#include "dump/kernel/per_cpu.hpp"
#include "dump/kernel/vmlinux.hpp"

namespace ballast::dump {

namespace {

class KernelVariables final : public Variables {
  public:
    KernelVariables(std::unique_ptr<Types> types, Symbols symbols, PerCpu per_cpu, std::uint64_t relocation)
        : Variables(std::move(types), std::move(symbols)), per_cpu_(std::move(per_cpu)), relocation_(relocation) {}

    [[nodiscard]] std::vector<TypedData> find(std::string_view name) const override {
        const auto variable = types() != nullptr ? types()->variable(name) : std::nullopt;
        const auto symbol = address_of(symbols(), name);
        if (!variable || (variable->offset == 0 && !symbol)) {
            return {};
        }
        // Of several with this name DWARF's type belongs to DWARF's address.
        const std::uint64_t address = variable->offset >= image_start ? variable->offset + relocation_
                                      : symbol                        ? *symbol
                                                                      : variable->offset;
        std::vector<TypedData> found;
        for (const std::uint64_t place : per_cpu_.addresses(address)) {
            found.push_back({.types = types(), .type = variable->type, .address = place});
        }
        return found;
    }

  private:
    PerCpu per_cpu_;
    std::uint64_t relocation_;
};

class ModuleVariables final : public Variables {
  public:
    using Variables::Variables;

    [[nodiscard]] std::vector<TypedData> find(std::string_view name) const override {
        const auto variable = types()->variable(name);
        const auto symbol = address_of(symbols(), name);
        if (!variable || !symbol) {
            return {};
        }
        return {TypedData{.types = types(), .type = variable->type, .address = *symbol}};
    }
};

} // namespace

std::unique_ptr<Variables> kernel_variables(const Core &core, AddressSpace &memory, const std::string &vmlinux,
                                            std::vector<std::string_view> names) {
    const Vmcoreinfo vmcoreinfo(core.vmcoreinfo());
    const auto add = [&](const auto &more) { names.insert(names.end(), more.begin(), more.end()); };
    add(PerCpu::symbols);
    add(btf_symbols);
    names.push_back(modules_symbol);
    Symbols symbols = find_symbols(vmcoreinfo, memory, names, vmlinux);
    auto types = vmlinux.empty() ? read_btf(memory, symbols) : open_dwarf(vmlinux);
    PerCpu per_cpu(memory, symbols);
    return std::make_unique<KernelVariables>(std::move(types), std::move(symbols), std::move(per_cpu),
                                             relocation_of(vmcoreinfo));
}

std::unique_ptr<Variables> module_variables(AddressSpace &memory, const Types &kernel_types, std::uint64_t module,
                                            const std::string &file, const std::vector<std::string_view> &names) {
    return std::make_unique<ModuleVariables>(open_dwarf(file), module_symbols(memory, kernel_types, module, names));
}

} // namespace ballast::dump
