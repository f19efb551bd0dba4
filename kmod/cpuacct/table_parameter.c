// SPDX-License-Identifier: GPL-2.0
/*
 * The parameter of cpuacct_table: "[CPUS=]KHZ:MW[,KHZ:MW]...[;...]", such as
 * "0-3=600000:150,1800000:900;4-7=1000000:700,2400000:3100". For a CPU that is in several parts the
 * last one counts.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/bsearch.h>
#include <linux/cpumask.h>
#include <linux/kernel.h>
#include <linux/limits.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/sort.h>
#include <linux/string.h>

#include "cpuacct/table_parameter.h"

struct entry {
	u32 khz;
	s32 milliwatts;
};

static int parse_entry(char *text, struct entry *entry)
{
	char *milliwatts = text;
	char *khz = strsep(&milliwatts, ":");

	if (!milliwatts || kstrtou32(khz, 10, &entry->khz) || !entry->khz ||
	    kstrtos32(milliwatts, 10, &entry->milliwatts) || entry->milliwatts < 0) {
		pr_err("table: %s is not KHZ:MW\n", text);
		return -EINVAL;
	}
	return 0;
}

/* Splits "CPUS=ENTRIES" and takes CPUS; without them it is for all. */
static int parse_cpus(char **text, struct cpumask *cpus)
{
	char *entries = *text;
	char *list = strsep(&entries, "=");

	cpumask_copy(cpus, cpu_possible_mask);
	if (!entries)
		return 0;
	*text = entries;
	if (cpulist_parse(list, cpus) || !cpumask_intersects(cpus, cpu_possible_mask)) {
		pr_err("table: %s is no list of CPUs of this machine\n", list);
		return -EINVAL;
	}
	return 0;
}

static void forget(struct power_table *table, const struct cpumask *cpus)
{
	int cpu;

	for_each_cpu_and(cpu, cpus, cpu_possible_mask)
		memset(table->milliwatts + cpu * table->nr, -1, table->nr * sizeof(s32));
}

typedef int (*entry_action)(struct power_table *table, const struct cpumask *cpus,
			    const struct entry *entry);

static int visit_entries(char *text, struct power_table *table, struct cpumask *cpus,
			 entry_action action)
{
	char *part, *word;

	while ((part = strsep(&text, ";"))) {
		int ret = parse_cpus(&part, cpus);

		if (!ret && table->milliwatts)
			forget(table, cpus);
		while (!ret && (word = strsep(&part, ","))) {
			struct entry entry;

			ret = parse_entry(word, &entry) ?: action(table, cpus, &entry);
		}
		if (ret)
			return ret;
	}
	return 0;
}

static int compare(const void *a, const void *b)
{
	u32 x = *(const u32 *)a;
	u32 y = *(const u32 *)b;

	return x < y ? -1 : x > y;
}

static u32 *find(struct power_table *table, u32 khz)
{
	return bsearch(&khz, table->khz, table->nr, sizeof(khz), compare);
}

static int add_frequency(struct power_table *table, const struct cpumask *cpus,
			 const struct entry *entry)
{
	if (find(table, entry->khz))
		return 0;
	if (table->nr == TABLE_MAX_FREQUENCIES) {
		pr_err("table: more than %d frequencies\n", TABLE_MAX_FREQUENCIES);
		return -EINVAL;
	}
	table->khz[table->nr++] = entry->khz;
	sort(table->khz, table->nr, sizeof(*table->khz), compare, NULL);
	return 0;
}

static int set_power(struct power_table *table, const struct cpumask *cpus,
		     const struct entry *entry)
{
	unsigned int i = find(table, entry->khz) - table->khz;
	int cpu;

	for_each_cpu_and(cpu, cpus, cpu_possible_mask)
		table->milliwatts[cpu * table->nr + i] = entry->milliwatts;
	return 0;
}

static int parse_twice(const char *text, struct power_table *table, struct cpumask *cpus)
{
	entry_action actions[] = { add_frequency, set_power };
	size_t i;
	int ret;

	for (i = 0; i < ARRAY_SIZE(actions); i++) {
		char *copy = kstrdup(text, GFP_KERNEL);

		if (!copy)
			return -ENOMEM;
		ret = visit_entries(copy, table, cpus, actions[i]);
		kfree(copy);
		if (ret)
			return ret;
		if (table->milliwatts)
			break;
		table->milliwatts = kmalloc_array(nr_cpu_ids * table->nr, sizeof(s32), GFP_KERNEL);
		if (!table->milliwatts)
			return -ENOMEM;
		forget(table, cpu_possible_mask);
	}
	return 0;
}

static int check_all_cpus(const struct power_table *table)
{
	unsigned int i;
	int cpu;

	for_each_possible_cpu(cpu) {
		for (i = 0; i < table->nr; i++) {
			if (table->milliwatts[cpu * table->nr + i] >= 0)
				break;
		}
		if (i == table->nr) {
			pr_err("table: nothing for CPU %d\n", cpu);
			return -EINVAL;
		}
	}
	return 0;
}

/**
 * power_table_parse() - read the parameter
 * @text: as above
 * @table: all zero; power_table_free() it afterwards, also after an error
 *
 * Return: 0, or a negative errno with the reason in the log.
 */
int power_table_parse(const char *text, struct power_table *table)
{
	cpumask_var_t cpus;
	int ret;

	if (!alloc_cpumask_var(&cpus, GFP_KERNEL))
		return -ENOMEM;
	ret = parse_twice(text, table, cpus);
	free_cpumask_var(cpus);
	return ret ?: check_all_cpus(table);
}

/**
 * power_table_free() - free what power_table_parse() allocated
 * @table: the table
 */
void power_table_free(struct power_table *table)
{
	kfree(table->milliwatts);
}
