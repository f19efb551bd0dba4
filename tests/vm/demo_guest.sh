#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# What the demo does in its guest, `before` the crash and in the capture kernel (`capture`). Figures for its report go
# to /share.
set -e

uptime_now() {
	cut -d ' ' -f 1 /proc/uptime
}

seconds_since() {
	awk -v start="$1" '{ print $1 - start }' /proc/uptime
}

balloon_attribute() {
	cat "/sys/class/misc/balloon-kvm/balloon/$1"
}

# Without blocks of 2 MiB: compaction would have no reason to move them.
load_modules() {
	echo "Loading balloon_kvm (with a serial number in every page) and cpuacct into Linux $(uname -r)"
	uname -r >/share/release
	ballast load balloon_kvm check_content=1 huge=0 >/dev/null
	ballast load cpuacct >/dev/null
}

# Compaction moves pages from low addresses into holes at higher ones, and leaves blocks of 2 MiB that are free alone.
# So the balloon inflates into every other MiB of a range, and then the rest of the range goes.
inflate_with_holes() {
	mkdir /tmp/pieces
	for piece in $(seq 256); do
		fallocate -l 1M "/tmp/pieces/$piece"
	done
	rm /tmp/pieces/*[02468]
	start=$(uptime_now)
	ballast balloon set 128M --wait >/dev/null 2>/run/progress || {
		cat /run/progress
		return 1
	}
	echo "Balloon inflated to 128 MiB: $(balloon_attribute size_pages) pages in $(seconds_since "$start") s"
	rm -r /tmp/pieces
}

migrate() {
	echo 1 >/proc/sys/vm/compact_memory
	ballast balloon check >/dev/null
	echo "Memory compacted: the kernel migrated $(balloon_attribute migrated) of the balloon's pages;" \
		"$(balloon_attribute content_errors) have lost their content"
	ballast balloon status --json >/share/balloon.json
	[ "$(balloon_attribute migrated)" -gt 0 ] || {
		echo "demo: compaction migrated no page of the balloon"
		return 1
	}
}

account() {
	echo "Control group 'demo' computes for 1 s on CPU 0 and for 2 s on CPU 1:"
	# The variables are the inner shell's.
	# shellcheck disable=SC2016
	ballast cgroup run demo -- sh -c '
		for cpu in 0 1; do
			taskset $((cpu + 1)) timeout $((cpu + 1)) sh -c "while :; do :; done" &
		done
		wait'
	ballast cgroup show demo --json >/share/cgroup.json
	ballast cgroup show demo | sed '/^$/d; s/^/  /'
}

before() {
	load_modules
	inflate_with_holes
	migrate
	account
	echo "Crashing the kernel on CPU 1; its capture kernel boots"
}

capture() {
	echo "Capture kernel is up with $(nproc) CPUs: pmakedumpfile -l -d 31 --num-threads 2 /proc/vmcore"
	start=$(uptime_now)
	{
		pmakedumpfile -l -d 31 --num-threads 2 /proc/vmcore /share/dump && seconds_since "$start" >/share/seconds
	} 2>&1 | tee /share/capture.log | sed '/^$/d; s/^/  /'
	[ -e /share/seconds ]
}

"$1"
