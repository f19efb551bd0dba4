// SPDX-License-Identifier: GPL-2.0
// For LD_PRELOAD: a disk with a bad place. Reads of the file BALLAST_BAD_FILE fail with EIO from byte BALLAST_BAD_BEGIN
// to BALLAST_BAD_END; what stands before is read first, as the kernel does.
#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace {

struct BadPlace {
    struct stat file {};
    off_t begin = 0;
    off_t end = 0;

    BadPlace() {
        const char *const path = std::getenv("BALLAST_BAD_FILE");
        const char *const from = std::getenv("BALLAST_BAD_BEGIN");
        const char *const to = std::getenv("BALLAST_BAD_END");
        if (path != nullptr && from != nullptr && to != nullptr && ::stat(path, &file) == 0) {
            begin = std::atoll(from);
            end = std::atoll(to);
        }
    }

    [[nodiscard]] bool is_in(int descriptor) const {
        struct stat opened {};
        return end > begin && ::fstat(descriptor, &opened) == 0 && opened.st_dev == file.st_dev &&
               opened.st_ino == file.st_ino;
    }
};

} // namespace

// NOLINTNEXTLINE(readability-inconsistent-declaration-parameter-name): glibc's are reserved names
extern "C" ssize_t pread(int descriptor, void *bytes, size_t size, off_t offset) {
    static const BadPlace bad;
    if (bad.is_in(descriptor) && offset < bad.end && offset + static_cast<off_t>(size) > bad.begin) {
        if (offset >= bad.begin) {
            errno = EIO;
            return -1;
        }
        size = static_cast<size_t>(bad.begin - offset);
    }
    return ::syscall(SYS_pread64, descriptor, bytes, size, offset);
}
