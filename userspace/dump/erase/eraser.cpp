// SPDX-License-Identifier: GPL-2.0
#include "dump/erase/eraser.hpp"

#include "dump/erase/variables.hpp"
#include "dump/input/error.hpp"
#include "dump/kernel/modules.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <functional>
#include <optional>
#include <span>
#include <utility>

namespace ballast::dump {

namespace {

// As in makedumpfile.
constexpr std::byte poison{'X'};
constexpr std::uint64_t longest_text = 1024;

constexpr std::uint64_t most_elements = 1U << 20U; // of a list; one with more is taken for damaged

constexpr std::uint64_t largest_size = std::uint64_t{1} << 36U; // bytes; of a size in the core, which may be damaged

using Kind = Type::Kind;

/** The names of variables in a section's commands. Some may be those of loops. */
std::vector<std::string_view> names_in(const EraseSection &section) {
    std::vector<std::string_view> names;
    const auto add_command = [&](const EraseCommand &command) {
        names.push_back(command.what.front());
        if (const auto *size = std::get_if<Expression>(&command.extent)) {
            names.push_back(size->front());
        }
    };
    for (const auto &command : section.commands) {
        if (const auto *loop = std::get_if<EraseLoop>(&command)) {
            names.push_back(loop->list.front());
            std::ranges::for_each(loop->commands, add_command);
        } else {
            add_command(std::get<EraseCommand>(command));
        }
    }
    return names;
}

/** A loop's variable, and the element that it stands for. */
struct Element {
    std::string_view name;
    TypedData data;
};

/** Carries out the commands of a section. */
class Eraser {
  public:
    Eraser(AddressSpace &memory, const Variables &variables, const std::string &path, std::string advice,
           Erasure &erasure)
        : memory_(memory), variables_(variables), path_(path), advice_(std::move(advice)), erasure_(erasure) {}

    void run(const EraseSection &section) {
        for (const auto &command : section.commands) {
            if (const auto *loop = std::get_if<EraseLoop>(&command)) {
                run_loop(*loop);
            } else {
                run_command(std::get<EraseCommand>(command), nullptr);
            }
        }
    }

  private:
    [[noreturn]] void fail(const std::string &what) const { throw Error(fmt::format("{}:{}: {}", path_, line_, what)); }

    void remark(const std::string &what) { erasure_.remarks.push_back(fmt::format("{}:{}: {}", path_, line_, what)); }

    /** What a pointer points at. Empty for a null pointer, and one that can't be read, which is told. */
    std::optional<TypedData> follow(const TypedData &pointer, const Type &type) {
        const auto address = read_pointer(memory_, pointer.address);
        if (!address) {
            remark(fmt::format("the pointer at {:#x} is not in the core: not followed", pointer.address));
        }
        if (!address || *address == 0) {
            return std::nullopt;
        }
        return TypedData{.types = pointer.types, .type = type.target.value_or(0), .address = *address};
    }

    /** The same of what may be a pointer. */
    std::optional<TypedData> pointee_or_itself(const TypedData &data) {
        const Type type = data.describe();
        return type.kind == Kind::pointer ? follow(data, type) : std::optional(data);
    }

    [[nodiscard]] std::vector<TypedData> find_variable(std::string_view name) const {
        std::vector<TypedData> found = variables_.find(name);
        if (found.empty() && address_of(variables_.symbols(), name)) {
            fail(fmt::format("the type of '{}' is not known: {}", name, advice_));
        }
        if (found.empty()) {
            fail(fmt::format("there is no variable '{}' in this kernel", name));
        }
        return found;
    }

    /** All that an expression stands for: several for per-CPU variables, none behind null pointers. */
    std::vector<TypedData> evaluate(const Expression &expression, const Element *element) {
        std::vector<TypedData> all = element != nullptr && element->name == expression.front()
                                         ? std::vector{element->data}
                                         : find_variable(expression.front());
        for (const std::string &name : std::span(expression).subspan(1)) {
            std::vector<TypedData> members;
            for (const TypedData &data : all) {
                const auto structure = pointee_or_itself(data);
                const auto member = structure ? structure->member(name) : std::nullopt;
                if (structure && !member) {
                    fail(fmt::format("'{}': there is no member '{}'", text_of(expression), name));
                }
                if (member) {
                    members.push_back(*member);
                }
            }
            all = std::move(members);
        }
        return all;
    }

    void run_command(const EraseCommand &command, const Element *element) {
        line_ = command.line;
        for (const TypedData &data : evaluate(command.what, element)) {
            if (std::holds_alternative<EraseCommand::Nullify>(command.extent)) {
                nullify(command, data);
            } else if (std::holds_alternative<EraseCommand::WholeType>(command.extent)) {
                erase_whole(command, data);
            } else {
                const auto target = pointee_or_itself(data);
                const std::uint64_t size = size_of(command.extent, element);
                if (target && size != 0) {
                    erase(command, target->address, size);
                }
            }
        }
    }

    void nullify(const EraseCommand &command, const TypedData &data) {
        const Type type = data.describe();
        if (type.kind != Kind::pointer) {
            fail(fmt::format("'{}' is no pointer, which nullify wants", text_of(command.what)));
        }
        add(data.address, type.size, std::byte{0});
        erasure_.eraseinfo += fmt::format("erase {} nullify\n", text_of(command.what));
    }

    /** What it is, or points at, as far as its type tells. */
    void erase_whole(const EraseCommand &command, const TypedData &data) {
        const Type own = data.describe();
        const auto target = pointee_or_itself(data);
        if (own.kind == Kind::pointer && (!own.target || data.types->describe(*own.target).size == 0)) {
            fail(fmt::format("'{}' points at what has no size: give 'size N' or 'nullify'", text_of(command.what)));
        }
        if (!target) {
            return;
        }
        const Type type = target->describe();
        const bool is_text = own.kind == Kind::pointer && type.kind == Kind::integer && type.size == 1;
        const std::uint64_t size = is_text ? text_length(target->address) : type.size;
        if (size == 0 && !is_text) {
            fail(fmt::format("how large '{}' is isn't known: give 'size N'", text_of(command.what)));
        }
        erase(command, target->address, size);
    }

    std::uint64_t text_length(std::uint64_t address) {
        std::array<char, 1> c{};
        std::uint64_t length = 0;
        while (length < longest_text && memory_.read(address + length, std::as_writable_bytes(std::span(c))) &&
               c[0] != '\0') {
            ++length;
        }
        return length;
    }

    std::uint64_t size_of(const EraseCommand::Extent &extent, const Element *element) {
        if (const auto *bytes = std::get_if<std::uint64_t>(&extent)) {
            return *bytes;
        }
        const auto &expression = std::get<Expression>(extent);
        const std::vector<TypedData> found = evaluate(expression, element);
        if (found.empty()) {
            return 0;
        }
        const Type type = found.front().describe();
        const auto value = type.kind == Kind::integer
                               ? read_integer(memory_, found.front().address, type.size, type.is_signed)
                               : std::nullopt;
        if (!value || *value > largest_size) {
            fail(fmt::format("'{}' is no size: no integer, negative, beyond 64 GiB, or not in the core",
                             text_of(expression)));
        }
        return *value;
    }

    void erase(const EraseCommand &command, std::uint64_t address, std::uint64_t size) {
        if (size == 0) {
            return;
        }
        add(address, size, poison);
        erasure_.eraseinfo += fmt::format("erase {} size {}\n", text_of(command.what), size);
    }

    /** What isn't mapped is passed over. */
    void add(std::uint64_t address, std::uint64_t size, std::byte fill) {
        constexpr std::uint64_t step = 4096;
        for (std::uint64_t left = size; left > 0;) {
            const auto place = memory_.translate(address);
            const std::uint64_t length = std::min(left, place ? place->bytes : step - address % step);
            if (place) {
                erasure_.memory.add(place->physical, length, fill);
            }
            address += length;
            left -= length;
        }
    }

    void run_loop(const EraseLoop &loop) {
        line_ = loop.line;
        for (const TypedData &list : evaluate(loop.list, nullptr)) {
            line_ = loop.line;
            const std::vector<TypedData> elements =
                std::visit([&](const auto &kind) { return elements_of(loop, list, kind); }, loop.kind);
            for (const TypedData &data : elements) {
                const Element element{.name = loop.variable, .data = data};
                for (const EraseCommand &command : loop.commands) {
                    run_command(command, &element);
                }
            }
        }
    }

    [[nodiscard]] std::vector<TypedData> elements_of(const EraseLoop &loop, const TypedData &list,
                                                     EraseLoop::Array /*kind*/) const {
        const Type type = list.describe();
        const std::uint64_t size = type.target ? list.types->describe(*type.target).size : 0;
        if (type.kind != Kind::array || size == 0) {
            fail(fmt::format("'{}' is no array: a list is walked with 'via' or 'within'", text_of(loop.list)));
        }
        std::vector<TypedData> elements;
        for (std::uint64_t n = 0; n < type.count; ++n) {
            elements.push_back({.types = list.types, .type = *type.target, .address = list.address + n * size});
        }
        return elements;
    }

    std::vector<TypedData> elements_of(const EraseLoop &loop, const TypedData &list, const EraseLoop::Via &via) {
        const auto first = pointee_or_itself(list);
        std::vector<TypedData> elements;
        for (auto node = first; node && elements.size() < most_elements;) {
            elements.push_back(*node);
            const auto next = node->member(via.next);
            if (!next || next->describe().kind != Kind::pointer) {
                fail(fmt::format("'{}' has no member '{}' that is a pointer", text_of(loop.list), via.next));
            }
            node = follow(*next, next->describe());
            if (node && node->address == first->address) {
                break;
            }
        }
        return check_end(loop, std::move(elements));
    }

    /**
     * The list may be named by its head, or by a head's next or prev. In both cases the head is where it ends, and is
     * in no element.
     */
    std::vector<TypedData> elements_of(const EraseLoop &loop, const TypedData &list, const EraseLoop::Within &within) {
        const auto type = list.types->structure(within.structure);
        const auto member = type ? list.types->member(*type, within.member) : std::nullopt;
        const auto links = member ? list.types->member(member->type, "next") : std::nullopt;
        if (!member || !links) {
            fail(fmt::format("there is no struct '{}' with a list_head '{}'", within.structure, within.member));
        }
        const bool is_link = loop.list.size() > 1 && (loop.list.back() == "next" || loop.list.back() == "prev");
        const auto head = is_link ? std::optional(list) : pointee_or_itself(list);
        if (!head) {
            return {};
        }
        // A head's link stands in the head, at its start or behind the other link.
        const std::uint64_t back = is_link && loop.list.back() == "prev" ? sizeof(std::uint64_t) : 0;
        const std::uint64_t end = head->address - back;
        std::vector<TypedData> elements;
        auto node = read_pointer(memory_, head->address);
        for (; node && *node != 0 && *node != end && elements.size() < most_elements;
             node = read_pointer(memory_, *node + back)) {
            elements.push_back({.types = list.types, .type = *type, .address = *node - member->offset});
        }
        if (!node) {
            remark(fmt::format("the list '{}' leads to where the core has nothing: its rest is not erased",
                               text_of(loop.list)));
        }
        return check_end(loop, std::move(elements));
    }

    std::vector<TypedData> check_end(const EraseLoop &loop, std::vector<TypedData> elements) {
        if (elements.size() == most_elements) {
            remark(fmt::format("the list '{}' has no end: taken up to {} elements", text_of(loop.list), most_elements));
        }
        return elements;
    }

    AddressSpace &memory_;
    const Variables &variables_;
    const std::string &path_;
    std::string advice_;
    Erasure &erasure_;
    unsigned line_ = 0;
};

} // namespace

Erasure find_erasure(const Core &core, const Kernel &kernel, const std::vector<EraseSection> &sections,
                     const std::string &path, const std::string &vmlinux) {
    if (!kernel.utsname_physical()) {
        throw Error(fmt::format("{}: nothing can be erased: the kernel's memory is not understood", path));
    }
    AddressSpace memory(core, kernel.page_tables());
    std::vector<std::string_view> kernel_names;
    for (const EraseSection &section : sections) {
        if (section.module == EraseSection::kernel) {
            const auto names = names_in(section);
            kernel_names.insert(kernel_names.end(), names.begin(), names.end());
        }
    }
    const auto variables = kernel_variables(core, memory, vmlinux, kernel_names);
    if (variables->types() == nullptr) {
        throw Error(fmt::format("{}: there is no BTF in the kernel's memory: give its vmlinux with -x", path));
    }
    const std::string advice = vmlinux.empty()
                                   ? "BTF has the types of per-CPU variables at most: give the kernel's vmlinux with -x"
                                   : "its debug information doesn't have it";
    Erasure erasure{.memory = ErasedMemory(core.page_size()), .eraseinfo = {}};
    for (const EraseSection &section : sections) {
        if (section.module == EraseSection::kernel) {
            Eraser(memory, *variables, path, advice, erasure).run(section);
            continue;
        }
        const auto pass_over = [&](std::string_view why) {
            erasure.remarks.push_back(
                fmt::format("{}:{}: [{}] is passed over: {}", path, section.line, section.module, why));
        };
        const auto head = address_of(variables->symbols(), modules_symbol);
        const auto module = head ? find_module(memory, *variables->types(), *head, section.module) : std::nullopt;
        const auto file = module ? find_module_file(vmlinux, kernel.release(), section.module) : std::nullopt;
        if (!module) {
            pass_over("no such module is loaded");
        } else if (!file) {
            pass_over("its debug information is not found, neither below the folder of vmlinux nor in /usr/lib/debug");
        } else {
            const auto own = module_variables(memory, *variables->types(), *module, *file, names_in(section));
            Eraser(memory, *own, path, "its debug information doesn't have it", erasure).run(section);
        }
    }
    return erasure;
}

} // namespace ballast::dump
