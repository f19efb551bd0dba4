// SPDX-License-Identifier: GPL-2.0
#include "holed_file.hpp"

#include <algorithm>
#include <cerrno>
#include <string>

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "control/error.hpp"

namespace ballast::bench {

namespace {

void check(bool works, const std::string &what) {
    if (!works) {
        throw control::Error(static_cast<std::errc>(errno), what + ": " + control::describe(errno));
    }
}

} // namespace

HoledFile::HoledFile(std::uint64_t room, std::uint64_t granule) : file_(memfd_create("granules", MFD_CLOEXEC)) {
    check(file_.get() >= 0, "memfd_create");
    const std::uint64_t holes = room / granule;
    const auto place = [&](std::uint64_t number) { return static_cast<off_t>(number * granule); };
    constexpr std::uint64_t at_a_time = 1 << 20;
    const std::string content(at_a_time, 'x');
    for (std::uint64_t end = 2 * holes * granule, begin = 0; begin < end; begin += at_a_time) {
        const std::uint64_t size = std::min(at_a_time, end - begin);
        check(pwrite(file_.get(), content.data(), size, static_cast<off_t>(begin)) == static_cast<ssize_t>(size),
              "the file in memory");
    }
    for (std::uint64_t number = 0; number < 2 * holes; number += 2) {
        check(fallocate(file_.get(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, place(number),
                        static_cast<off_t>(granule)) == 0,
              "holes in the file");
    }
}

} // namespace ballast::bench
