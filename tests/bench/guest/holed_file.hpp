// SPDX-License-Identifier: GPL-2.0
#pragma once

#include <cstdint>

#include "control/file.hpp"

namespace ballast::bench {

/** A file in memory of which every other granule is a hole: what is allocated while it is there fills the holes. */
class HoledFile {
  public:
    /**
     * @param room bytes of all holes
     * @param granule bytes of each hole, and of what is between two holes
     */
    HoledFile(std::uint64_t room, std::uint64_t granule);

  private:
    control::FileDescriptor file_;
};

} // namespace ballast::bench
