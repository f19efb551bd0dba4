// SPDX-License-Identifier: GPL-2.0
#include "dump/output/dump_work.hpp"

#include "dump/output/flattened_output.hpp"
#include "dump/output/output_file.hpp"

#include <unistd.h>

#include <algorithm>

namespace ballast::dump {

std::vector<std::unique_ptr<Output>> open_outputs(const DumpOptions &options) {
    std::vector<std::unique_ptr<Output>> outputs;
    if (options.dry_run) {
        outputs.resize(std::max<std::size_t>(options.paths.size(), 1));
        return outputs;
    }
    for (const std::string &path : options.paths) {
        outputs.push_back(std::make_unique<OutputFile>(path, options.overwrite, options.size_limit));
    }
    if (outputs.empty()) {
        outputs.push_back(std::make_unique<FlattenedOutput>(STDOUT_FILENO));
    }
    return outputs;
}

} // namespace ballast::dump
