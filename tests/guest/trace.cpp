// SPDX-License-Identifier: GPL-2.0
#include "trace.hpp"

#include <fstream>

#include "control/file.hpp"

namespace ballast::guest {

using control::write_text;

Trace::Trace() {
    std::filesystem::create_directory(folder_);
    write_text(folder_ / "buffer_size_kb", "16384");
    write_text(folder_ / "events/balloon_kvm/enable", "1");
}

Trace::~Trace() {
    std::error_code none;
    std::filesystem::remove(folder_, none);
}

std::vector<std::vector<std::uint64_t>> Trace::events(const std::string &name) const {
    std::vector<std::vector<std::uint64_t>> found;
    std::ifstream trace(folder_ / "trace");
    const std::string head = ": " + name + ":";
    for (std::string line; std::getline(trace, line);) {
        const auto begin = line.find(head);
        if (begin == std::string::npos) {
            continue;
        }
        auto &values = found.emplace_back();
        for (auto at = line.find('=', begin); at != std::string::npos; at = line.find('=', at + 1)) {
            values.push_back(std::stoull(line.substr(at + 1), nullptr, 0));
        }
    }
    return found;
}

} // namespace ballast::guest
