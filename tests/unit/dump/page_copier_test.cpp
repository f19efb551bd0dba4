// SPDX-License-Identifier: GPL-2.0
#include "dump/output/page_copier.hpp"

#include "dump/output/chunk_copier.hpp"
#include "dump/output/output_file.hpp"
#include "dump_machine.hpp"
#include "support/folder.hpp"

#include <catch2/catch_test_macros.hpp>
#include <cstdint>
#include <span>
#include <string>

namespace {

using namespace ballast::dump;

constexpr Codec codec = Codec::lzo;
constexpr std::uint64_t chunks = 8;

/** A file that another thread seems to write to each time that it is asked, for so many times. */
class BusyFile final : public Output {
  public:
    BusyFile(const std::string &path, int busy) : file_(path, false), busy_(busy) {}

    [[nodiscard]] bool is_busy() const override { return asked_++ < busy_; }

    [[nodiscard]] Written write_some(std::uint64_t offset, std::span<const std::byte> bytes) override {
        asked_before_first_write_ = asked_before_first_write_ < 0 ? asked_ : asked_before_first_write_;
        return file_.write_some(offset, bytes);
    }

    void reserve(std::uint64_t size) override { file_.reserve(size); }
    void close() override { file_.close(); }
    [[noreturn]] void fail(int error) const override { file_.fail(error); }

    [[nodiscard]] int asked_before_first_write() const { return asked_before_first_write_; }

  private:
    OutputFile file_;
    int busy_;
    mutable int asked_ = 0;
    int asked_before_first_write_ = -1;
};

std::uint64_t pages(const DumpMachine &machine) {
    return chunks * ChunkCopier::chunk_pages(codec, machine.core().page_size());
}

CopyResult copy_to(Output &file, const DumpMachine &machine) {
    Bitmap dumped(machine.core().max_pfn());
    dumped.set_range(50'000, 50'000 + pages(machine));
    const CopyPart part{.file = &file, .end = chunks};
    const CopyJob job{.core = machine.core(), .pages = dumped, .compression = {.codec = codec}, .parts = {part}};
    NoProgress progress;
    CopyResult result = copy_pages(job, 1, "", progress);
    file.close();
    return result;
}

} // namespace

TEST_CASE("While another thread writes, a thread fills further chunks, and the file is the same") {
    const DumpMachine machine;
    const Folder folder;
    constexpr int busy = 3;
    BusyFile file(folder.path() / "busy", busy);
    BusyFile idle(folder.path() / "idle", 0);
    // It is asked after each chunk; where it is always busy, those that wait are written when there is no more to fill.
    BusyFile always_busy(folder.path() / "always", 1'000'000);

    CHECK(copy_to(file, machine).pages == pages(machine));
    CHECK(copy_to(idle, machine).pages == pages(machine));
    CHECK(copy_to(always_busy, machine).pages == pages(machine));

    CHECK(file.asked_before_first_write() == busy + 1);
    CHECK(idle.asked_before_first_write() == 1);
    CHECK(always_busy.asked_before_first_write() == chunks);
    const std::string content = folder.read("idle");
    CHECK(!content.empty());
    CHECK(folder.read("busy") == content);
    CHECK(folder.read("always") == content);
}
