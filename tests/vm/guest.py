# SPDX-License-Identifier: GPL-2.0
"""A guest's life: its initramfs, its boot, what came of its command."""

import re
import shlex
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import initramfs
import kernel_log
import qemu
from kernel import Kernel, Trouble

STATUS_TROUBLE = 98
STATUS_COMPLAINT = 99
# A panic that no crash kernel takes ends QEMU (-no-reboot). The host may take an emulated CPU's time away for seconds:
# the boot's check of the timer, which panics, must not count that, nor must the watchdogs; a real lockup lasts.
APPEND = "console=ttyS0 panic=-1 no_timer_check watchdog_thresh=30 rcupdate.rcu_cpu_stall_timeout=60"


@dataclass
class Guest:
    kernel: Kernel
    machine: qemu.Machine = field(default_factory=qemu.Machine)
    contents: initramfs.Contents = field(default_factory=initramfs.Contents)
    append: str = ""
    share: Path | None = None
    timeout: float = 300
    log: Path | None = None
    """Where the kernel's log is kept."""
    expected: re.Pattern[str] | None = None
    """Complaints that must come; any other fails the run."""


@contextmanager
def exchange(guest: Guest) -> Iterator[Path]:
    """The folder that the guest's init sees as /vm, for one run."""
    with tempfile.TemporaryDirectory(prefix="ballast-vm-") as name:
        folder = Path(name)
        initramfs.build(guest.kernel, guest.contents, folder)
        yield folder


def script(command: list[str]) -> str:
    """A single string is for the shell, several are one program's arguments."""
    return (command[0] if len(command) == 1 else shlex.join(command)) + "\n"


def run(guest: Guest, command: list[str]) -> int:
    """Boots, runs `command`, judges the kernel's log; returns the exit status for the user."""
    with exchange(guest) as folder:
        (folder / "command").write_text(script(command))
        return judge(guest, folder, boot(guest, folder, guest.append, ["command"]))


def judge(guest: Guest, folder: Path, in_time: bool) -> int:
    """The exit status for the user, of a guest that has ended: of its command, or what its kernel's log says."""
    console = read(folder / "console")
    log = read(folder / "command.dmesg") + read(folder / "command.leaks") or console
    keep_log(guest, log)
    status = status_of(folder, "command") if in_time else None
    if status is None:
        print_trouble(guest, in_time, console)
        log = console
    tainted = int(read(folder / "command.tainted") or 0)
    if complain(log, guest.expected, tainted) and in_time:
        return STATUS_COMPLAINT
    return STATUS_TROUBLE if status is None else status


def command_line(guest: Guest, folder: Path, append: str, channels: Mapping[str, int] | None = None) -> list[str]:
    return qemu.command_line(
        replace(guest.machine, tcg_thread=guest.machine.tcg_thread or guest.kernel.tcg_thread),
        qemu.Boot(guest.kernel.image, folder / "initrd", f"{APPEND} log_buf_len=4M {append}", folder, guest.share),
        folder / "console", channels)


def boot(guest: Guest, folder: Path, append: str, scripts: list[str]) -> bool:
    """Runs QEMU to its end, with the scripts' output on stdout; false if the time limit ended it.

    One in some thousand emulated kernels stands still in the midst of its boot, without a word and before any program
    or module of ours has run; the second time it boots."""
    arguments = command_line(guest, folder, append)
    outputs = [folder / f"{name}.output" for name in scripts]

    def run_once(booted: Path | None) -> None:
        qemu.run(arguments, guest.timeout, outputs, folder / f"{scripts[-1]}.status", guest.machine.monitor, booted)

    try:
        try:
            run_once(folder / "booted")
        except qemu.BootLimit:
            print(f"{kernel_log.tail(read(folder / 'console'))}\nvm: the kernel did not get to its init in "
                  f"{qemu.BOOT_SECONDS} s; above is its console's end; it is booted once more", file=sys.stderr)
            run_once(None)
    except qemu.TimeLimit:
        return False
    return True


def read(path: Path) -> str:
    return path.read_text(errors="replace") if path.exists() else ""


def status_of(folder: Path, name: str) -> int | None:
    text = read(folder / f"{name}.status")
    return int(text) if text.endswith("\n") else None


def keep_log(guest: Guest, log: str) -> None:
    if guest.log:
        guest.log.parent.mkdir(parents=True, exist_ok=True)
        guest.log.write_text(log)


def print_trouble(guest: Guest, in_time: bool, console: str,
                  what: str = "the guest ended before its command did") -> None:
    if not in_time:
        what = f"the guest took more than {guest.timeout:g} s"
    print(f"{kernel_log.tail(console)}\nvm: {what}; above is its console's end", file=sys.stderr)


def complain(log: str, expected: re.Pattern[str] | None, tainted: int = 0) -> bool:
    """Prints the log's complaints, and those that were expected and did not come."""
    found = kernel_log.complaints(log, expected)
    if found:
        print("\n".join(["vm: the kernel's log from its first complaint on:", *kernel_log.report(log, found[0])]),
              file=sys.stderr)
    if expected and not any(expected.search(line) for line in log.splitlines()):
        found.append(f"(the expected complaint did not come: {expected.pattern})")
    if not kernel_log.complaints(log) and tainted & kernel_log.TAINT_OF_COMPLAINTS:
        found.append(f"(/proc/sys/kernel/tainted is {tainted}, but the log does not say why)")
    for line in found:
        print(f"vm: the kernel complained: {line}", file=sys.stderr)
    return bool(found)


def exit_status(program: str, action: Callable[[], int]) -> int:
    """What a program that drives guests ends with; however it is ended, its guest and temporary files go first."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        return action()
    except Trouble as trouble:
        print(f"{program}: {trouble}", file=sys.stderr)
        return STATUS_TROUBLE
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
