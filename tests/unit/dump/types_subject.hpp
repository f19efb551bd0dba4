// SPDX-License-Identifier: GPL-2.0
#pragma once

/** Uses the types in types_subject.cpp, so that the debug information has them. */
unsigned long types_subject(const void *data);
