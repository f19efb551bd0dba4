# SPDX-License-Identifier: GPL-2.0
"""QEMU: its command line, and a run of it with a time limit."""

import os
import re
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from initramfs import tool
from kernel import Trouble

POLL_SECONDS = 0.05
# From the last status until QEMU has ended.
POWER_OFF_SECONDS = 60


@dataclass(frozen=True)
class Machine:
    memory: str = "512M"
    cpus: int = 2
    cpu: str = "max"


@dataclass(frozen=True)
class Boot:
    image: Path
    initrd: Path
    append: str
    exchange: Path
    """The host's folder that the guest's init sees as /vm."""
    share: Path | None
    """The user's folder, /share in the guest."""


class TimeLimit(Exception):
    pass


def accelerator() -> str:
    """KVM only where the CPU says so as well: on some machines /dev/kvm opens, but a guest on it hangs."""
    flags = re.search(r"\b(svm|vmx)\b", Path("/proc/cpuinfo").read_text())
    if flags:
        try:
            os.close(os.open("/dev/kvm", os.O_RDWR))
            return "kvm"
        except OSError:
            pass
    return "tcg,thread=multi"


def command_line(machine: Machine, boot: Boot, console: Path) -> list[str]:
    arguments = [
        # The guest must not outlive its runner, however that ends.
        tool("setpriv"), "--pdeathsig", "KILL",
        tool("qemu-system-x86_64"), "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot",
        "-accel", accelerator(), "-cpu", machine.cpu, "-smp", str(machine.cpus), "-m", machine.memory,
        "-kernel", str(boot.image), "-initrd", str(boot.initrd), "-append", boot.append,
        "-serial", f"file:{_escaped(console)}",
    ]
    folders = {"vm": boot.exchange}
    if boot.share:
        folders["share"] = boot.share
    for tag, folder in folders.items():
        arguments += ["-fsdev", f"local,id={tag},path={_escaped(folder)},security_model=none,multidevs=remap",
                      "-device", f"virtio-9p-pci,fsdev={tag},mount_tag={tag}"]
    return arguments


def _escaped(path: Path) -> str:
    return str(path).replace(",", ",,")


class Tail:
    """Copies what a growing file gains to standard output."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = 0

    def copy(self) -> None:
        try:
            with self._path.open("rb") as opened:
                opened.seek(self._offset)
                gained = opened.read()
        except FileNotFoundError:
            return
        if gained:
            self._offset += len(gained)
            sys.stdout.buffer.write(gained)
            sys.stdout.buffer.flush()


def run(arguments: list[str], timeout: float, outputs: list[Path], last_status: Path) -> None:
    """Runs QEMU until the guest has powered off. Raises TimeLimit, or Trouble if QEMU itself failed."""
    tails = [Tail(path) for path in outputs]
    end = time.monotonic() + timeout
    with subprocess.Popen(arguments, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True) as process:
        try:
            while process.poll() is None:
                time.sleep(POLL_SECONDS)
                for tail in tails:
                    tail.copy()
                if last_status.exists():
                    end = min(end, time.monotonic() + POWER_OFF_SECONDS)
                if time.monotonic() > end:
                    if last_status.exists():
                        break
                    raise TimeLimit
        finally:
            if process.poll() is None:
                process.kill()
            said = process.communicate()[0].strip()
    for tail in tails:
        tail.copy()
    if process.returncode > 0:
        raise Trouble(f"QEMU failed with status {process.returncode}: {said}")
