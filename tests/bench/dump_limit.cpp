// SPDX-License-Identifier: GPL-2.0
// The time below which no dumper gets, for tests/bench/dump:
//
//   dump_limit -l|-c|-z|-p|raw LEVEL CORE FILE
//
// prints how many seconds one core takes to compress just the pages that a dump of the level keeps, and how many it
// takes to write as many bytes to FILE with large writes. The pages are in memory beforehand; reading, filtering, the
// search for zero pages and headers are not in it.
#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <iostream>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "dump/compress/compressor.hpp"
#include "dump/filter/filter.hpp"
#include "dump/input/core.hpp"
#include "dump/input/page_reader.hpp"
#include "dump/kernel/kernel.hpp"
#include "dump/output/output_file.hpp"
#include "dump/output/zero_page.hpp"

namespace {

using namespace ballast::dump;

// Pages that are read before they are compressed, and bytes of a write.
constexpr std::size_t batch_pages = 4096;
constexpr std::size_t write_bytes = std::size_t{4} << 20U;

class Stopwatch {
  public:
    template<typename Work>
    void time(Work work) {
        const auto begin = std::chrono::steady_clock::now();
        work();
        seconds_ += std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    }

    [[nodiscard]] double seconds() const { return seconds_; }

  private:
    double seconds_ = 0;
};

Codec codec_of(std::string_view option) {
    constexpr std::array<std::pair<std::string_view, Codec>, 5> codecs{
        {{"-l", Codec::lzo}, {"-c", Codec::zlib}, {"-z", Codec::zstd}, {"-p", Codec::snappy}, {"raw", Codec::raw}}};
    const auto *const found = std::ranges::find(codecs, option, [](const auto &codec) { return codec.first; });
    if (found == codecs.end()) {
        throw std::invalid_argument(fmt::format("unknown codec {}", option));
    }
    return found->second;
}

/** The pages of a dump, in batches. */
class KeptPages {
  public:
    KeptPages(const Core &core, unsigned level)
        : reader_(core), page_size_(core.page_size()), skip_zeros_((level & 1U) != 0) {
        NoProgress progress;
        kept_ = filter(core, Kernel::describe(core, ""), level, 1, progress).dumped;
        batch_.reserve(batch_pages * page_size_);
    }

    /** The next pages side by side; empty at the end. */
    std::span<const std::byte> next() {
        batch_.clear();
        for (pfn_ = kept_.next_set(pfn_); pfn_ < kept_.size() && batch_.size() < batch_pages * page_size_;
             pfn_ = kept_.next_set(pfn_ + 1)) {
            const auto page = reader_.page(pfn_);
            if (!skip_zeros_ || !is_zero(page)) {
                batch_.insert(batch_.end(), page.begin(), page.end());
            }
        }
        return batch_;
    }

  private:
    PageReader reader_;
    std::size_t page_size_;
    bool skip_zeros_;
    Bitmap kept_{0};
    Pfn pfn_ = 0;
    std::vector<std::byte> batch_;
};

void write_file(const std::string &path, std::uint64_t bytes) {
    const std::vector<std::byte> data(write_bytes, std::byte{'b'});
    OutputFile file(path, true);
    for (std::uint64_t at = 0; at < bytes; at += data.size()) {
        file.write(at, std::span(data).first(std::min<std::uint64_t>(data.size(), bytes - at)));
    }
    file.close();
}

void measure(std::span<char *> arguments) {
    if (arguments.size() != 5) {
        throw std::invalid_argument("usage: dump_limit -l|-c|-z|-p|raw LEVEL CORE FILE");
    }
    const Codec codec = codec_of(arguments[1]);
    const std::string_view level_text = arguments[2];
    unsigned level = 0;
    std::from_chars(level_text.data(), level_text.data() + level_text.size(), level);
    const Core core = Core::open(arguments[3]);
    KeptPages pages(core, level);

    const auto compressor = make_compressor({.codec = codec}, core.page_size());
    std::vector<std::byte> out(compressor->room());
    std::uint64_t count = 0;
    std::uint64_t bytes = 0;
    Stopwatch compressing;
    for (auto batch = pages.next(); !batch.empty(); batch = pages.next()) {
        if (codec == Codec::raw) { // nothing to do for it
            bytes += batch.size();
            continue;
        }
        compressing.time([&] {
            for (std::size_t at = 0; at < batch.size(); at += core.page_size()) {
                bytes += compressor->store(batch.subspan(at, core.page_size()), out).size;
                count++;
            }
        });
    }
    Stopwatch writing;
    writing.time([&] { write_file(arguments[4], bytes); });
    fmt::print("{:.6f} {:.6f} {} {}\n", compressing.seconds(), writing.seconds(), count, bytes);
}

} // namespace

int main(int argc, char **argv) {
    try {
        measure(std::span(argv, static_cast<std::size_t>(argc)));
        return 0;
    } catch (const std::exception &error) {
        std::cerr << "dump_limit: " << error.what() << '\n';
        return 1;
    }
}
