# SPDX-License-Identifier: GPL-2.0
"""What a kernel's log complains of."""

import re

# The kernel's own words for a fault: BUG and WARNING head most reports, also KASAN's and lockdep's.
COMPLAINT = re.compile(
    r"\bBUG\b|\bWARNING\b|\bOops\b|Kernel panic|general protection fault|double fault"
    r"|kernel BUG at|Bad page|list_(add|del) corruption|refcount_t: |UBSAN|KASAN|KCSAN|KFENCE"
    r"|possible (circular|recursive|irq lock)|inconsistent lock state|suspicious RCU usage|DEBUG_LOCKS_WARN_ON"
    r"|INFO: (task .* blocked|rcu.* detected|trying to register non-static key)|rcu.*detected stall"
    r"|kmemleak: .* suspected|unreferenced object 0x"
    r"|sleeping function called|scheduling while atomic|still has locks held|stack-protector")
# Of the CPU that is emulated, not of the kernel's work.
HARMLESS = re.compile(r"(Spectre|RETBleed|MDS|TAA|MMIO Stale Data|SRBDS|L1TF|Speculative).*WARNING", re.IGNORECASE)
# D, W, B and L of /proc/sys/kernel/tainted: died, warned, bad page, soft lockup.
TAINT_OF_COMPLAINTS = 1 << 7 | 1 << 9 | 1 << 5 | 1 << 14


def complaints(log: str, expected: re.Pattern[str] | None = None) -> list[str]:
    """The lines that complain, without those that a test expects."""
    return [line for line in log.splitlines()
            if COMPLAINT.search(line) and not HARMLESS.search(line)
            and not (expected and expected.search(line))]


def report(log: str, first_line: str, lines: int = 30) -> list[str]:
    """A complaint with what the kernel says after it: registers, the call trace."""
    return log[log.index(first_line):].split("\n", lines)[:lines]


def tail(log: str, lines: int = 40) -> str:
    return "\n".join(log.splitlines()[-lines:])
