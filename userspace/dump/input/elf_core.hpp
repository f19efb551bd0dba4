// SPDX-License-Identifier: GPL-2.0
#pragma once

#include "dump/input/core_format.hpp"
#include "dump/input/elf_headers.hpp"
#include "dump/input/file.hpp"
#include "dump/input/memory_map.hpp"

#include <memory>

namespace ballast::dump {

/** An ELF64 core: /proc/vmcore, a copy of it, or what QEMU's dump-guest-memory writes. */
class ElfCore final : public CoreFormat {
  public:
    /** Throws Error for what isn't one, or is cut off. */
    explicit ElfCore(File file);

    [[nodiscard]] std::string_view name() const override { return "ELF"; }
    [[nodiscard]] const Notes &notes() const override { return headers_.notes; }
    [[nodiscard]] std::uint64_t memory_end() const override;
    [[nodiscard]] std::uint64_t file_size() const override { return file_.size(); }
    [[nodiscard]] Bitmap present(std::uint64_t page_size) const override;
    [[nodiscard]] Bitmap with_data(std::uint64_t page_size) const override;
    [[nodiscard]] std::vector<Segment> segments(std::uint64_t /*page_size*/) const override {
        return headers_.segments;
    }
    [[nodiscard]] std::unique_ptr<MemoryReader> reader() const override;
    [[nodiscard]] std::uint64_t reader_memory() const override;

  private:
    File file_;
    ElfHeaders headers_;
    MemoryMap memory_;
};

} // namespace ballast::dump
