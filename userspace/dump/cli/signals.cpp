// SPDX-License-Identifier: GPL-2.0
#include "dump/cli/signals.hpp"

#include <array>

namespace ballast::dump {

namespace {

struct EndSignal {
    int number;
    const char *name;
};
constexpr std::array end_signals = {EndSignal{SIGINT, "SIGINT"}, EndSignal{SIGTERM, "SIGTERM"},
                                    EndSignal{SIGHUP, "SIGHUP"}};

bool ignored(int signal) {
    struct sigaction action {};
    return sigaction(signal, nullptr, &action) == 0 && action.sa_handler == SIG_IGN;
}

} // namespace

HeldSignals::HeldSignals() : held_(), before_() {
    sigemptyset(&held_);
    for (const EndSignal &signal : end_signals) {
        if (!ignored(signal.number)) {
            sigaddset(&held_, signal.number);
        }
    }
    pthread_sigmask(SIG_BLOCK, &held_, &before_);
}

HeldSignals::~HeldSignals() {
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

std::optional<std::string> HeldSignals::arrived() const {
    sigset_t pending;
    sigpending(&pending);
    for (const EndSignal &signal : end_signals) {
        if (sigismember(&held_, signal.number) == 1 && sigismember(&pending, signal.number) == 1) {
            return signal.name;
        }
    }
    return std::nullopt;
}

} // namespace ballast::dump
