/* SPDX-License-Identifier: GPL-2.0 */
#ifndef BALLAST_CPUACCT_TABLE_PARAMETER_H
#define BALLAST_CPUACCT_TABLE_PARAMETER_H

#include <linux/types.h>

/* More than any cpufreq driver has. */
#define TABLE_MAX_FREQUENCIES 128

/**
 * struct power_table - what CPUs draw at which frequency
 * @nr: frequencies of any CPU
 * @khz: ascending
 * @milliwatts: by CPU, then by frequency: [cpu * nr + i]; -1 where the CPU does not have it
 */
struct power_table {
	unsigned int nr;
	u32 khz[TABLE_MAX_FREQUENCIES];
	s32 *milliwatts;
};

int power_table_parse(const char *text, struct power_table *table);
void power_table_free(struct power_table *table);

#endif
