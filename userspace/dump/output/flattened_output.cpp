// SPDX-License-Identifier: GPL-2.0
#include "dump/output/flattened_output.hpp"

#include "dump/input/error.hpp"
#include "dump/input/flattened.hpp"
#include "dump/input/kdump_format.hpp"
#include "dump/output/output_file.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <system_error>
#include <vector>

namespace ballast::dump {

namespace {

constexpr std::size_t copy_size = std::size_t{64} << 10U;

/** Reads until the span is full or the stream ends; how many bytes came. */
std::size_t read_stream(int descriptor, std::span<std::byte> out) {
    std::size_t got = 0;
    while (got < out.size()) {
        const ssize_t n = ::read(descriptor, out.data() + got, out.size() - got);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            throw Error(fmt::format("Can't read the standard input: {}", std::generic_category().message(errno)));
        }
        if (n == 0) {
            break;
        }
        got += static_cast<std::size_t>(n);
    }
    return got;
}

void require_whole(std::size_t got, std::size_t wanted) {
    if (got < wanted) {
        throw Error("The standard input ends before the end of the dump: what came until then is kept");
    }
}

/** What was written of a kdump-compressed dump's header. */
class SeenHeader {
  public:
    void see(std::uint64_t offset, std::span<const std::byte> bytes) {
        if (offset < bytes_.size()) {
            const std::size_t size = std::min<std::size_t>(bytes.size(), bytes_.size() - offset);
            std::ranges::copy(bytes.first(size), bytes_.begin() + static_cast<std::ptrdiff_t>(offset));
        }
    }

    void mark_incomplete(Output &output) const {
        kdump::DiskDumpHeader header{};
        std::memcpy(&header, bytes_.data(), sizeof header);
        if (header.signature == kdump::signature) {
            header.status |= kdump::status_incomplete;
            // Where that fails too, why the dump ended is the better message.
            static_cast<void>(output.write_some(offsetof(kdump::DiskDumpHeader, status),
                                                std::as_bytes(std::span(&header.status, 1))));
        }
    }

  private:
    std::array<std::byte, sizeof(kdump::DiskDumpHeader)> bytes_{};
};

void write_records(int descriptor, Output &output, SeenHeader &seen) {
    std::vector<std::byte> buffer(copy_size);
    for (;;) {
        std::array<std::byte, flattened::record_size> bytes{};
        require_whole(read_stream(descriptor, bytes), bytes.size());
        const flattened::Record record = flattened::decode(bytes);
        if (record == flattened::end_mark) {
            return;
        }
        flattened::check(record, "the standard input");
        auto offset = static_cast<std::uint64_t>(record.offset);
        const std::uint64_t end = offset + static_cast<std::uint64_t>(record.size);
        while (offset < end) {
            const auto wanted = std::span(buffer).first(std::min<std::uint64_t>(buffer.size(), end - offset));
            const std::size_t got = read_stream(descriptor, wanted);
            output.write(offset, wanted.first(got));
            seen.see(offset, wanted.first(got));
            require_whole(got, wanted.size());
            offset += got;
        }
    }
}

} // namespace

FlattenedOutput::FlattenedOutput(int descriptor) : descriptor_(descriptor) {
    put_all(flattened::make_header());
}

/** The last byte makes the length. */
void FlattenedOutput::reserve(std::uint64_t size) {
    constexpr std::array<std::byte, 1> zero{};
    write(size - zero.size(), zero);
}

Written FlattenedOutput::write_some(std::uint64_t offset, std::span<const std::byte> bytes) {
    if (bytes.empty()) {
        return {};
    }
    const auto record = flattened::encode(
        {.offset = static_cast<std::int64_t>(offset), .size = static_cast<std::int64_t>(bytes.size())});
    if (const Written head = put(record); head.error != 0) {
        return {.bytes = 0, .error = head.error};
    }
    return put(bytes);
}

void FlattenedOutput::close() {
    put_all(flattened::encode(flattened::end_mark));
}

void FlattenedOutput::fail(int error) const {
    const std::string message =
        fmt::format("Can't write the standard output: {}", std::generic_category().message(error));
    throw Error(message);
}

Written FlattenedOutput::put(std::span<const std::byte> bytes) const {
    Written written;
    while (written.bytes < bytes.size()) {
        const auto rest = bytes.subspan(written.bytes);
        const ssize_t n = ::write(descriptor_, rest.data(), rest.size());
        if (n > 0) {
            written.bytes += static_cast<std::size_t>(n);
        } else if (n == 0 || errno != EINTR) {
            written.error = n == 0 ? ENOSPC : errno;
            break;
        }
    }
    return written;
}

void FlattenedOutput::put_all(std::span<const std::byte> bytes) const {
    if (const Written written = put(bytes); written.error != 0) {
        fail(written.error);
    }
}

void rearrange(int descriptor, Output &output) {
    std::array<std::byte, flattened::header_size> header{};
    if (read_stream(descriptor, header) < header.size() || !flattened::is_header(header)) {
        throw Error("The standard input is not in the flattened format (makedumpfile -F)");
    }
    SeenHeader seen;
    try {
        write_records(descriptor, output, seen);
    } catch (const Error &) {
        seen.mark_incomplete(output);
        throw;
    }
}

} // namespace ballast::dump
