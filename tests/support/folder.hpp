// SPDX-License-Identifier: GPL-2.0
#pragma once

#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>

#include <unistd.h>

/** A folder of a test's own, laid out like a piece of sysfs, cgroupfs or procfs, and removed with it. */
class Folder {
  public:
    Folder() : path_((std::filesystem::temp_directory_path() / "ballast-test-XXXXXX").native()) {
        if (mkdtemp(path_.data()) == nullptr) {
            throw std::runtime_error("cannot make a folder in " + std::filesystem::temp_directory_path().native());
        }
    }
    Folder(const Folder &) = delete;
    Folder &operator=(const Folder &) = delete;
    Folder(Folder &&) = delete;
    Folder &operator=(Folder &&) = delete;
    ~Folder() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }

    [[nodiscard]] std::filesystem::path path() const { return path_; }

    /** Writes a file, the folders above it included. */
    void write(const std::filesystem::path &file, const std::string &text) const {
        const auto at = path() / file;
        std::filesystem::create_directories(at.parent_path());
        std::ofstream(at, std::ios::trunc) << text;
    }

    [[nodiscard]] std::string read(const std::filesystem::path &file) const {
        std::ifstream stream(path() / file);
        return {std::istreambuf_iterator<char>(stream), {}};
    }

  private:
    std::string path_;
};
