# SPDX-License-Identifier: GPL-2.0
"""A guest that crashes: its capture kernel boots from the same initramfs and runs a command on /proc/vmcore."""

import shutil
import sys
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

import guest as guests
from guest import Guest
from kernel import Kernel
from qemu import Machine

BUSY_MODULES = ["loop", "ext4", "virtio_balloon"]
BUSY_BALLOON_MIB = 16
# What ext4 asks for by another name, in kernels that have it as a module.
CHECKSUM_MODULE = "crc32c_generic"

# The sysrq's own first line; after it the kernel complains by intention.
CRASH = "sysrq: Trigger a crash"


@dataclass(frozen=True)
class Crash:
    capture: str
    """The shell command for the capture kernel."""
    crashkernel: str = "128M"
    capture_cpus: int = 2
    cpu: int = 0
    """The CPU that crashes."""


def kdump(guest: Guest, command: list[str], crash: Crash) -> int:
    """Runs `command`, crashes unless it failed, captures; returns the exit status for the user."""
    guest.contents.programs.append(Path("kexec"))
    with guests.exchange(guest) as folder:
        _write_exchange(guest, folder, command, crash)
        in_time = guests.boot(guest, folder, f"crashkernel={crash.crashkernel} {guest.append}", ["command", "capture"])
        return _judge(guest, folder, in_time)


def core(guest: Guest, output: Path, busy: str | None, last: str | None) -> int:
    """Crashes a guest with `busy` memory (or some of each kind of page) and copies its /proc/vmcore to `output`.

    After that `last` runs, a command that may crash the guest itself."""
    output.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{output.name}-", dir=output.parent) as folder:
        guest.share = Path(folder).resolve()
        if busy is None:
            busy = "sh busy"
            guest.contents.files.append((Path(__file__).parent / "busy", Path("/root/busy")))
            guest.contents.kernel_modules += busy_modules(guest.kernel)
            guest.machine = with_full_balloon(guest.machine)
        command = busy if last is None else f"{busy} && {last}"
        status = kdump(guest, [command], Crash("dd if=/proc/vmcore of=/share/core bs=1M 2>/dev/null"))
        if status == 0:
            (Path(folder) / "core").replace(output)
        return status


def with_full_balloon(machine: Machine) -> Machine:
    """A machine whose host takes some memory as soon as the guest has a driver for it."""
    size = int(machine.memory[:-1]) * {"M": 1, "G": 1024}[machine.memory[-1].upper()]
    return replace(machine, devices=(*machine.devices, "virtio-balloon-pci"),
                   monitor=(*machine.monitor, f"balloon {size - BUSY_BALLOON_MIB}"))


def busy_modules(kernel: Kernel) -> list[str]:
    """What a file system with a journal takes."""
    return BUSY_MODULES + [CHECKSUM_MODULE] * kernel.has_module(CHECKSUM_MODULE)


def _write_exchange(guest: Guest, folder: Path, command: list[str], crash: Crash) -> None:
    shutil.copy(guest.kernel.image, folder / "vmlinuz")
    (folder / "command").write_text(guests.script(command))
    (folder / "capture").write_text(crash.capture + "\n")
    (folder / "crash-cpu").write_text(f"{crash.cpu}\n")
    (folder / "capture.append").write_text(
        f"{guests.APPEND} nr_cpus={crash.capture_cpus} irqpoll reset_devices")


def _judge(guest: Guest, folder: Path, in_time: bool) -> int:
    console = guests.read(folder / "console")
    before_crash, crashed, after_crash = console.partition(CRASH)
    capture_log = guests.read(folder / "capture.dmesg")
    guests.keep_log(guest, console + capture_log)

    command_status = guests.status_of(folder, "command")
    status = guests.status_of(folder, "capture") if in_time else None
    complained = guests.complain(before_crash + "\n" + capture_log, guest.expected)
    if command_status:
        print(f"vm: no crash: the command before it failed with status {command_status}", file=sys.stderr)
        return command_status
    if status is None:
        what = "the capture kernel ended before its command did" if crashed else "the guest did not crash"
        guests.print_trouble(guest, in_time, console, what)
        return guests.STATUS_TROUBLE
    return guests.STATUS_COMPLAINT if complained else status
