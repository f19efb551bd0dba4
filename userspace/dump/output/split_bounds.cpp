// SPDX-License-Identifier: GPL-2.0
#include "dump/output/split_bounds.hpp"

#include "dump/input/error.hpp"
#include "dump/input/kdump_format.hpp"
#include "dump/input/page_reader.hpp"
#include "dump/output/zero_page.hpp"

#include <algorithm>
#include <memory>

namespace ballast::dump {

namespace {

// One page in so many is looked at, but at least so many pages where there are as many.
constexpr std::uint64_t widest_stride = 32;
constexpr std::uint64_t enough_samples = 4096;

// crash counts a part's descriptors by whole words of the bitmap from the part's first page on.
constexpr Pfn crash_word = 64;

/** Looks at pages one by one. */
class Sampler {
  public:
    explicit Sampler(const SplitWork &work)
        : work_(&work),
          reader_(work.core),
          compressor_(make_compressor(work.compression, work.core.page_size())),
          data_(std::max<std::size_t>(compressor_->room(), work.core.page_size())),
          stride_(std::clamp<std::uint64_t>(work.plan.pages() / enough_samples, 1, widest_stride)) {}

    /** What a chunk's pages that are looked at take in the file, in bytes. */
    std::uint64_t weight(const Chunk &chunk) {
        SetBits pfns(work_->pages, chunk.first);
        std::uint64_t weight = 0;
        for (std::uint64_t rank = chunk.rank; rank < chunk.rank + chunk.pages; ++rank) {
            const Pfn pfn = pfns.next();
            if (rank % stride_ == 0) {
                weight += sizeof(kdump::PageDescriptor) + stored_size(pfn);
            }
        }
        return weight;
    }

  private:
    std::uint64_t stored_size(Pfn pfn) {
        try {
            const auto page = reader_.page(pfn);
            return work_->share_zeros && is_zero(page) ? 0 : compressor_->store(page, data_).size;
        } catch (const ReadError &) {
            return 0; // zeros stand for it
        }
    }

    const SplitWork *work_;
    PageReader reader_;
    std::unique_ptr<Compressor> compressor_;
    std::vector<std::byte> data_;
    std::uint64_t stride_;
};

/** Up to each block, what the chunks before it take, and at the end all. */
std::vector<std::uint64_t> weights_before(const SplitWork &work) {
    Sampler sampler(work);
    std::vector<std::uint64_t> before;
    std::uint64_t weight = 0;
    for (std::uint64_t chunk = 0; chunk < work.plan.chunks(); ++chunk) {
        if (chunk % work.block == 0) {
            before.push_back(weight);
        }
        weight += sampler.weight(work.plan.chunk(chunk));
    }
    before.push_back(weight);
    return before;
}

} // namespace

std::vector<Pfn> split_bounds(const SplitWork &work) {
    if (work.parts == 1) {
        return {};
    }
    const std::vector<std::uint64_t> before = weights_before(work);
    const std::uint64_t blocks = before.size() - 1;
    std::vector<Pfn> bounds;
    for (std::uint64_t part = 1; part < work.parts; ++part) {
        const std::uint64_t wanted = before.back() / work.parts * part;
        auto block = static_cast<std::uint64_t>(std::ranges::lower_bound(before, wanted) - before.begin());
        if (block > 0 && wanted - before[block - 1] < before[block] - wanted) {
            --block; // the nearest
        }
        const std::uint64_t chunk = std::min(block, blocks) * work.block;
        const Pfn pfn = chunk < work.plan.chunks() ? work.plan.chunk(chunk).first : work.pages.size();
        bounds.push_back(std::min(pfn + crash_word / 2, work.pages.size()) / crash_word * crash_word);
    }
    return bounds;
}

} // namespace ballast::dump
