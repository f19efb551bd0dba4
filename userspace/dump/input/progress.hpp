// SPDX-License-Identifier: GPL-2.0
#pragma once

#include <cstdint>
#include <string_view>

namespace ballast::dump {

/** Where a run tells how far it is: one step after the other, each with a known amount of work. */
class ProgressSink {
  public:
    ProgressSink() = default;
    ProgressSink(const ProgressSink &) = delete;
    ProgressSink(ProgressSink &&) = delete;
    ProgressSink &operator=(const ProgressSink &) = delete;
    ProgressSink &operator=(ProgressSink &&) = delete;
    virtual ~ProgressSink() = default;

    /** A step starts; total is in pages. From one thread, no other step being under way. */
    virtual void begin(std::string_view step, std::uint64_t total) = 0;

    /** So many pages more are done. From any thread of the step. Throws Error where the run shall end. */
    virtual void add(std::uint64_t pages) = 0;

    /** The step is over, all its threads joined. */
    virtual void end() = 0;
};

/** Tells nobody. */
class NoProgress final : public ProgressSink {
  public:
    void begin(std::string_view /*step*/, std::uint64_t /*total*/) override {}
    void add(std::uint64_t /*pages*/) override {}
    void end() override {}
};

} // namespace ballast::dump
