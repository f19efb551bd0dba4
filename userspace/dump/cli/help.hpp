// SPDX-License-Identifier: GPL-2.0
#pragma once

#include <string>

namespace ballast::dump {

/** What -h prints. */
std::string help_text();

/** What -v prints. */
std::string version_text();

} // namespace ballast::dump
