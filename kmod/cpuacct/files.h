/* SPDX-License-Identifier: GPL-2.0 */
#ifndef BALLAST_CPUACCT_FILES_H
#define BALLAST_CPUACCT_FILES_H

int cpuacct_files_add(void);
void cpuacct_files_remove(void);

#endif
