// SPDX-License-Identifier: GPL-2.0
#include "failure.hpp"
#include "support/folder.hpp"
#include "support/synthetic_core.hpp"

#include "dump/input/vmcoreinfo.hpp"
#include "dump/kernel/kernel.hpp"
#include "dump/kernel/printk_log.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <fmt/format.h>

using ballast::dump::AddressSpace;
using ballast::dump::cleared_sequence;
using ballast::dump::Core;
using ballast::dump::Kernel;
using ballast::dump::log_text;
using ballast::dump::LogRecord;
using ballast::dump::PrintkLog;
using ballast::dump::Vmcoreinfo;
using Catch::Matchers::ContainsSubstring;

namespace {

constexpr std::uint64_t ring_at = SyntheticCore::kernel_physical + 0x100000;
constexpr std::uint64_t descriptors_at = ring_at + 0x1000;
constexpr std::uint64_t infos_at = ring_at + 0x2000;
constexpr std::uint64_t texts_at = ring_at + 0x4000;
constexpr unsigned count_bits = 3;
constexpr unsigned text_bits = 8;
constexpr std::uint64_t committed = std::uint64_t{1} << 62;
constexpr std::uint64_t finalized = std::uint64_t{2} << 62;

/** A kernel's log of 8 records and 256 bytes of text. */
class SyntheticLog {
  public:
    SyntheticLog() {
        const auto line = [this](const std::string &key, std::uint64_t value) {
            core.vmcoreinfo[key] = std::to_string(value);
        };
        core.vmcoreinfo["SYMBOL(prb)"] = fmt::format("{:x}", core.image(ring_at));
        line("SIZE(printk_ringbuffer)", 88);
        line("OFFSET(printk_ringbuffer.desc_ring)", 0);
        line("OFFSET(printk_ringbuffer.text_data_ring)", 48);
        line("OFFSET(prb_desc_ring.count_bits)", 0);
        line("OFFSET(prb_desc_ring.descs)", 8);
        line("OFFSET(prb_desc_ring.infos)", 16);
        line("OFFSET(prb_desc_ring.head_id)", 24);
        line("OFFSET(prb_desc_ring.tail_id)", 32);
        line("OFFSET(prb_data_ring.size_bits)", 0);
        line("OFFSET(prb_data_ring.data)", 8);
        line("SIZE(prb_desc)", 24);
        line("OFFSET(prb_desc.state_var)", 0);
        line("OFFSET(prb_desc.text_blk_lpos)", 8);
        line("OFFSET(prb_data_blk_lpos.begin)", 0);
        line("OFFSET(prb_data_blk_lpos.next)", 8);
        line("SIZE(printk_info)", 88);
        line("OFFSET(printk_info.seq)", 0);
        line("OFFSET(printk_info.ts_nsec)", 8);
        line("OFFSET(printk_info.text_len)", 16);
        line("OFFSET(printk_info.caller_id)", 20);
        put(ring_at, core.image(ring_at + 8));
        put(ring_at + 8, std::uint64_t{count_bits});
        put(ring_at + 16, core.image(descriptors_at));
        put(ring_at + 24, core.image(infos_at));
        put(ring_at + 56, std::uint64_t{text_bits});
        put(ring_at + 64, core.image(texts_at));
        set_ids(0, 0);
    }

    void set_ids(std::uint64_t tail, std::uint64_t head) {
        put(ring_at + 32, head);
        put(ring_at + 40, tail);
    }

    /** A record with its text at the ring's next free place. */
    void add(std::uint64_t id, const std::string &text, std::uint64_t state = finalized, std::uint8_t flags = 2) {
        const std::uint64_t size = 8 + (text.size() + 7) / 8 * 8;
        const std::uint64_t begin = position_;
        const bool wraps = begin % 256 + size > 256;
        const std::uint64_t start = wraps ? 0 : begin % 256;
        position_ = wraps ? (begin / 256 + 1) * 256 + size : begin + size;
        put(texts_at + start, id);
        core.write_physical(texts_at + start + 8, std::as_bytes(std::span(text)));

        const std::uint64_t descriptor = descriptors_at + id % 8 * 24;
        put(descriptor, state | id);
        put(descriptor + 8, begin);
        put(descriptor + 16, position_);
        const std::uint64_t info = infos_at + id % 8 * 88;
        put(info, id + 100);
        put(info + 8, id * 1000000000 + 5000);
        put(info + 16, static_cast<std::uint16_t>(text.size()));
        put(info + 19, flags);
        put(info + 20, std::uint32_t{7});
    }

    [[nodiscard]] std::vector<LogRecord> read() const {
        std::vector<LogRecord> records;
        look([&records](const Vmcoreinfo &vmcoreinfo, AddressSpace &memory) {
            const auto log = PrintkLog::find(vmcoreinfo, memory);
            REQUIRE(log);
            records = log->records(memory);
        });
        return records;
    }

    [[nodiscard]] std::optional<std::uint64_t> cleared() const {
        std::optional<std::uint64_t> sequence;
        look([&sequence](const Vmcoreinfo &vmcoreinfo, AddressSpace &memory) {
            sequence = cleared_sequence(vmcoreinfo, memory);
        });
        return sequence;
    }

    SyntheticCore core;

  private:
    template<typename Value>
    void put(std::uint64_t physical, const Value &value) {
        core.write_physical(physical, std::as_bytes(std::span(&value, 1)));
    }

    template<typename Look>
    void look(Look at) const {
        const Folder folder;
        core.write(folder.path() / "vmcore");
        const Core opened = Core::open(folder.path() / "vmcore");
        const Vmcoreinfo vmcoreinfo(opened.vmcoreinfo());
        AddressSpace memory(opened, Kernel::describe(opened).page_tables());
        at(vmcoreinfo, memory);
    }

    std::uint64_t position_ = 0;
};

LogRecord line(std::string text, bool continues = false, bool ends_line = true, std::uint32_t caller = 7) {
    return {.sequence = 0,
            .time = 1234567891,
            .caller = caller,
            .continues = continues,
            .ends_line = ends_line,
            .text = std::move(text)};
}

} // namespace

TEST_CASE("The log's records are read from the oldest to the newest") {
    SyntheticLog log;
    log.add(0, "first");
    log.add(1, "second", committed);
    log.set_ids(0, 1);
    const auto records = log.read();
    REQUIRE(records.size() == 2);
    CHECK(records[0].text == "first");
    CHECK(records[0].sequence == 100);
    CHECK(records[0].time == 5000);
    CHECK(records[0].caller == 7);
    CHECK(records[0].ends_line);
    CHECK_FALSE(records[0].continues);
    CHECK(records[1].text == "second");
}

TEST_CASE("Records and texts that wrap around the log's end are read whole") {
    SyntheticLog log;
    for (std::uint64_t id = 0; id < 21; ++id) {
        log.add(id, std::string(20 + id, static_cast<char>('a' + id)));
    }
    log.set_ids(17, 20);
    const auto records = log.read();
    REQUIRE(records.size() == 4);
    for (std::uint64_t id = 17; id < 21; ++id) {
        CHECK(records[id - 17].text == std::string(20 + id, static_cast<char>('a' + id)));
    }
}

TEST_CASE("A text that ends where the ring does is read whole") {
    SyntheticLog log;
    log.add(0, std::string(120, 'a'));
    log.add(1, std::string(120, 'b'));
    log.set_ids(0, 1);
    const auto records = log.read();
    REQUIRE(records.size() == 2);
    CHECK(records[1].text == std::string(120, 'b'));
}

TEST_CASE("Records that a writer was still at, or that are another's by now, are left out") {
    SyntheticLog log;
    log.add(0, "reserved", 0);
    log.add(1, "reusable", std::uint64_t{3} << 62);
    log.add(10, "a later one, in record 2's place");
    log.add(3, "whole");
    log.set_ids(0, 3);
    const auto records = log.read();
    REQUIRE(records.size() == 1);
    CHECK(records[0].text == "whole");
}

TEST_CASE("A log that is not all in the core is told, not made up") {
    SyntheticLog log;
    log.add(0, "text");
    const std::uint64_t nowhere = 0xffffc90000000000;
    log.core.write_physical(ring_at + 64, std::as_bytes(std::span(&nowhere, 1)));
    CHECK_THAT(failure([&log] { static_cast<void>(log.read()); }),
               ContainsSubstring("the kernel's log is not all in the core"));
}

TEST_CASE("A log that claims gigabytes is told not to be in the core, nobody sets aside so much for it") {
    SyntheticLog log;
    for (const std::uint64_t bits_at : {ring_at + 8, ring_at + 56}) {
        const std::uint64_t bits = 31;
        log.core.write_physical(bits_at, std::as_bytes(std::span(&bits, 1)));
    }
    CHECK_THAT(failure([&log] { static_cast<void>(log.read()); }),
               ContainsSubstring("the kernel's log is not all in the core"));
}

TEST_CASE("Each line of a record is printed with its time and its caller") {
    CHECK(log_text({line("one\ntwo"), line("")}) == "[    1.234567][    T7] one\n"
                                                    "[    1.234567][    T7] two\n"
                                                    "[    1.234567][    T7] \n");
    CHECK(log_text({line("on a CPU", false, true, 0x80000003)}) == "[    1.234567][    C3] on a CPU\n");
    LogRecord record = line("unknown");
    record.caller.reset();
    CHECK(log_text({record}) == "[    1.234567] unknown\n");
}

TEST_CASE("A record that continues a line is added to its caller's line") {
    CHECK(log_text({line("one", false, false), line("other", false, true, 8), line(" more", true, false),
                    line(" and more", true), line("next")}) == "[    1.234567][    T7] one more and more\n"
                                                               "[    1.234567][    T8] other\n"
                                                               "[    1.234567][    T7] next\n");
    CHECK(log_text({line("whole"), line("begins anew", true)}) == "[    1.234567][    T7] whole\n"
                                                                  "[    1.234567][    T7] begins anew\n");
}

TEST_CASE("When the log was last cleared is told by the copy that no writer was at, a plain number before 5.13") {
    constexpr std::uint64_t clear_at = ring_at + 0x800;
    SyntheticLog log;
    log.core.vmcoreinfo["SYMBOL(clear_seq)"] = fmt::format("{:x}", log.core.image(clear_at));
    const auto put = [&log](std::uint64_t place, std::uint64_t value) {
        log.core.write_physical(clear_at + place, std::as_bytes(std::span(&value, 1)));
    };
    SECTION("a plain number") {
        put(0, 12);
        CHECK(log.cleared() == 12);
    }
    SECTION("two copies") {
        log.core.vmcoreinfo["SIZE(latched_seq)"] = "24";
        log.core.vmcoreinfo["OFFSET(latched_seq.val)"] = "8";
        put(8, 12);
        put(16, 34);
        put(0, 6);
        CHECK(log.cleared() == 12);
        put(0, 7);
        CHECK(log.cleared() == 34);
    }
}

TEST_CASE("Records before the first asked for are passed over") {
    LogRecord old = line("old");
    LogRecord recent = line("new");
    old.sequence = 9;
    recent.sequence = 10;
    CHECK(log_text({old, recent}, 10) == "[    1.234567][    T7] new\n");
}
