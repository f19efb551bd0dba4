// SPDX-License-Identifier: GPL-2.0
#pragma once

#include "dump/output/output.hpp"

#include <cstdint>
#include <span>

namespace ballast::dump {

/** A dump in the flattened format (flattened.hpp), on a descriptor that may be a pipe. */
class FlattenedOutput final : public Output {
  public:
    /** Writes the header. The descriptor stays its owner's. Throws Error. */
    explicit FlattenedOutput(int descriptor);

    void reserve(std::uint64_t size) override;
    [[nodiscard]] Written write_some(std::uint64_t offset, std::span<const std::byte> bytes) override;
    [[nodiscard]] bool in_order() const override { return true; }
    void close() override;
    [[noreturn]] void fail(int error) const override;

  private:
    [[nodiscard]] Written put(std::span<const std::byte> bytes) const;
    void put_all(std::span<const std::byte> bytes) const;

    int descriptor_;
};

/**
 * Makes the file again that a flattened one stands for (-R). Throws Error where the stream is none or ends before its
 * end mark, or the file can't be written; what came is in the file then, which is marked incomplete if it is
 * kdump-compressed.
 */
void rearrange(int descriptor, Output &output);

} // namespace ballast::dump
