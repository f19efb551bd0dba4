/* SPDX-License-Identifier: GPL-2.0 */
#ifndef BALLAST_CPUACCT_FILES_H
#define BALLAST_CPUACCT_FILES_H

struct cftype;

int cpuacct_files_add(void);
int cpuacct_files_add_more(struct cftype *more);
void cpuacct_files_remove(void);

#endif
