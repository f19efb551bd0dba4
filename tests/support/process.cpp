// SPDX-License-Identifier: GPL-2.0
#include "support/process.hpp"

#include <array>
#include <cerrno>
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <system_error>
#include <unistd.h>

extern "C" { // glibc 2.36's header forgets it
#include <sys/pidfd.h>
}

namespace ballast::test {

namespace {

class Descriptor {
  public:
    explicit Descriptor(int fd) : fd_(fd) {
        if (fd < 0) {
            throw std::system_error(errno, std::generic_category(), "descriptor");
        }
    }
    Descriptor(const Descriptor &) = delete;
    Descriptor &operator=(const Descriptor &) = delete;
    Descriptor(Descriptor &&) = delete;
    Descriptor &operator=(Descriptor &&) = delete;
    ~Descriptor() { ::close(fd_); }
    [[nodiscard]] int get() const { return fd_; }

  private:
    int fd_;
};

/** What the program prints goes to memory: unlike a pipe, it never fills up. */
class Capture {
  public:
    Capture() : memory_(::memfd_create("output", MFD_CLOEXEC)) {}
    [[nodiscard]] int fd() const { return memory_.get(); }
    [[nodiscard]] std::string text() const {
        std::string text(static_cast<std::size_t>(::lseek(fd(), 0, SEEK_END)), '\0');
        const ssize_t size = ::pread(fd(), text.data(), text.size(), 0);
        text.resize(size < 0 ? 0 : static_cast<std::size_t>(size));
        return text;
    }

  private:
    Descriptor memory_;
};

class FileActions {
  public:
    FileActions() { ::posix_spawn_file_actions_init(&actions_); }
    FileActions(const FileActions &) = delete;
    FileActions &operator=(const FileActions &) = delete;
    FileActions(FileActions &&) = delete;
    FileActions &operator=(FileActions &&) = delete;
    ~FileActions() { ::posix_spawn_file_actions_destroy(&actions_); }
    [[nodiscard]] posix_spawn_file_actions_t *get() { return &actions_; }

  private:
    posix_spawn_file_actions_t actions_{};
};

pid_t start(std::vector<std::string> command, const Capture &output, const Capture &errors) {
    FileActions actions;
    ::posix_spawn_file_actions_addopen(actions.get(), STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    ::posix_spawn_file_actions_adddup2(actions.get(), output.fd(), STDOUT_FILENO);
    ::posix_spawn_file_actions_adddup2(actions.get(), errors.fd(), STDERR_FILENO);

    std::vector<char *> arguments;
    arguments.reserve(command.size() + 1);
    for (std::string &argument : command) {
        arguments.push_back(argument.data());
    }
    arguments.push_back(nullptr);
    pid_t pid = 0;
    const int error = ::posix_spawnp(&pid, arguments.front(), actions.get(), nullptr, arguments.data(), ::environ);
    if (error != 0) {
        throw std::system_error(error, std::generic_category(), command.front());
    }
    return pid;
}

} // namespace

Outcome run(const std::vector<std::string> &command, std::chrono::seconds limit) {
    const Capture output;
    const Capture errors;
    const pid_t pid = start(command, output, errors);

    Outcome outcome;
    const Descriptor process(::pidfd_open(pid, 0));
    pollfd ended = {.fd = process.get(), .events = POLLIN, .revents = 0};
    const auto milliseconds = std::chrono::duration_cast<std::chrono::milliseconds>(limit).count();
    if (::poll(&ended, 1, static_cast<int>(milliseconds)) == 0) {
        outcome.timed_out = true;
        ::kill(pid, SIGKILL);
    }
    int status = 0;
    ::waitpid(pid, &status, 0);
    outcome.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    outcome.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    outcome.output = output.text();
    outcome.errors = errors.text();
    return outcome;
}

std::string describe(const std::vector<std::string> &command, const Outcome &outcome) {
    return fmt::format("{}\nstatus {}, signal {}{}\nstdout: {}\nstderr: {}", fmt::join(command, " "), outcome.status,
                       outcome.signal, outcome.timed_out ? ", killed at the time limit" : "", outcome.output,
                       outcome.errors);
}

} // namespace ballast::test
