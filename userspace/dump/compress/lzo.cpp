// SPDX-License-Identifier: GPL-2.0
#include "dump/compress/codecs.hpp"
#include "dump/input/error.hpp"

#include <lzo/lzo1x.h>

#include <vector>

namespace ballast::dump {

namespace {

/** LZO1X-1 with a small hash table, which is enough for a page and stays in the nearest cache. */
class LzoCompressor final : public Compressor {
  public:
    explicit LzoCompressor(std::size_t page_size)
        // The worst case as LZO's manual gives it (LZO.FAQ, "How much can my data expand").
        : Compressor(Codec::lzo, page_size + page_size / 16 + 64 + 3), work_(LZO1X_1_11_MEM_COMPRESS) {
        if (lzo_init() != LZO_E_OK) {
            throw Error("The LZO library doesn't work on this machine (lzo_init failed)");
        }
    }

    [[nodiscard]] std::size_t memory() const override { return work_.size(); }

  private:
    std::size_t compress(std::span<const std::byte> page, std::span<std::byte> out) override {
        lzo_uint size = out.size();
        lzo1x_1_11_compress(reinterpret_cast<const unsigned char *>(page.data()), page.size(),
                            reinterpret_cast<unsigned char *>(out.data()), &size, work_.data());
        return size;
    }

    std::vector<std::byte> work_;
};

} // namespace

std::unique_ptr<Compressor> make_lzo_compressor(std::size_t page_size) {
    return std::make_unique<LzoCompressor>(page_size);
}

} // namespace ballast::dump
