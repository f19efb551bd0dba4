// SPDX-License-Identifier: GPL-2.0
#include "dump/cli/look_inside.hpp"

#include "dump/cli/open_core.hpp"
#include "dump/input/error.hpp"
#include "dump/input/vmcoreinfo.hpp"
#include "dump/kernel/generate_vmcoreinfo.hpp"
#include "dump/kernel/kernel.hpp"
#include "dump/kernel/printk_log.hpp"

#include <fmt/format.h>

#include <span>
#include <string>

namespace ballast::dump {

void dump_log(const Options &options, const Messages &messages) {
    check_outputs(options);
    const Core core = open_core(options);
    const Kernel kernel = Kernel::describe(core, options.vmlinux);
    const Vmcoreinfo vmcoreinfo(core.vmcoreinfo());
    AddressSpace memory(core, kernel.page_tables());
    const auto log = PrintkLog::find(vmcoreinfo, memory);
    if (!log) {
        throw Error(fmt::format("{}: the kernel's log is not found: VMCOREINFO doesn't tell where it is, or the core "
                                "doesn't hold it",
                                core.path()));
    }
    const std::uint64_t first = options.only_uncleared_log ? cleared_sequence(vmcoreinfo, memory).value_or(0) : 0;
    const std::string text = log_text(log->records(memory), first);
    OutputFile file(options.outputs.front(), options.overwrite, options.size_limit);
    file.write(0, std::as_bytes(std::span(text)));
    file.close();
    messages.say(message_level::common,
                 fmt::format("\nThe dmesg log is saved to {}.\n\npmakedumpfile Completed.", options.outputs.front()));
}

void write_vmcoreinfo(const Options &options, const Messages &messages) {
    const std::string &path = options.outputs.front();
    check_output(path, true, std::span(&options.vmlinux, 1));
    const std::string text = generate_vmcoreinfo(options.vmlinux);
    OutputFile file(path, true, options.size_limit);
    file.write(0, std::as_bytes(std::span(text)));
    file.close();
    messages.say(message_level::common,
                 fmt::format("\nThe vmcoreinfo is saved to {}.\n\npmakedumpfile Completed.", path));
}

void translate_address(const Options &options, const Messages &messages) {
    const Core core = open_core(options);
    const Kernel kernel = Kernel::describe(core, options.vmlinux);
    const auto place = AddressSpace(core, kernel.page_tables()).translate(*options.address_to_translate);
    if (!place) {
        throw Error(fmt::format("{}: nothing is mapped at {:x}", core.path(), *options.address_to_translate));
    }
    const std::string text = fmt::format("\nTranslating virtual address {0:x} to physical address.\n"
                                         "VIRTUAL           PHYSICAL\n{0:016x}  {1:x}\n",
                                         *options.address_to_translate, place->physical);
    if (options.action == Options::Action::translate) {
        messages.answer(message_level::common, text);
    } else {
        messages.say(message_level::common, text);
    }
}

} // namespace ballast::dump
