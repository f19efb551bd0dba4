/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Kernel symbols that are not exported to modules.
 *
 * A function found here must be called through a static call, never through a pointer: objtool
 * seals the ENDBR of functions whose address nobody takes, so an indirect call faults on a
 * processor with IBT.
 */
#ifndef BALLAST_COMPAT_SYMBOLS_H
#define BALLAST_COMPAT_SYMBOLS_H

int compat_symbols_init(void);
void *compat_symbol(const char *name);

#endif
