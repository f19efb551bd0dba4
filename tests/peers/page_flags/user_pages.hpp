// SPDX-License-Identifier: GPL-2.0
#pragma once

/**
 * Takes memory of each kind that a program can have and holds it until the program ends: small and huge anonymous
 * pages, pages that KSM merged, hugetlb pages, anonymous and shared pages in the swap cache, and among these some that
 * are marked as broken. Throws std::runtime_error where the kernel gives none of a kind.
 */
void hold_user_pages();
