# SPDX-License-Identifier: GPL-2.0
"""QEMU: its command line, and a run of it with a time limit."""

import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from initramfs import tool
from kernel import Trouble

POLL_SECONDS = 0.05
# Until the guest's init runs; where that is emulated on a busy host, it takes some 30.
BOOT_SECONDS = 200
# From the last status until QEMU has ended.
POWER_OFF_SECONDS = 60


@dataclass(frozen=True)
class Machine:
    memory: str = "512M"
    cpus: int = 2
    cpu: str = "max"
    devices: tuple[str, ...] = ()
    """More of them, each as QEMU's -device has it."""
    counts_instructions: bool = False
    """Time passes with the instructions of the one CPU, 1 ns each, or jumps to the next timer when it is idle."""
    tcg_thread: str | None = None
    """Emulation by one host thread for all CPUs or by one for each: single, multi, or what the kernel bears."""
    smm: bool = True
    """The firmware may use system management mode."""
    disk: Path | None = None
    """A raw image, the guest's /dev/vda with the kernel module virtio_blk."""
    monitor: tuple[str, ...] = ()
    """What QEMU's monitor is told before the guest boots."""


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


class BootLimit(Exception):
    """The guest's init did not run within BOOT_SECONDS."""


def speed(machine: Machine) -> list[str]:
    if machine.counts_instructions:
        return ["-accel", "tcg,thread=single", "-icount", "shift=0,sleep=off"]
    return ["-accel", accelerator(machine.tcg_thread or "multi")]


def accelerator(tcg_thread: str = "multi") -> str:
    """KVM only where the CPU says so as well: on some machines /dev/kvm opens, but a guest on it hangs."""
    flags = re.search(r"\b(svm|vmx)\b", Path("/proc/cpuinfo").read_text())
    if flags:
        try:
            os.close(os.open("/dev/kvm", os.O_RDWR))
            return "kvm"
        except OSError:
            pass
    return f"tcg,thread={tcg_thread}"


def command_line(machine: Machine, boot: Boot, console: Path, channels: Mapping[str, int] | None = None) -> list[str]:
    """`channels`: file descriptors of connected sockets; QEMU's monitor talks QMP on `qmp`, /dev/ttyS1 is `steps`."""
    arguments = [
        # The guest must not outlive its runner, however that ends.
        tool("setpriv"), "--pdeathsig", "KILL",
        tool("qemu-system-x86_64"), "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot",
        *speed(machine), *([] if machine.smm else ["-machine", "smm=off"]), "-cpu", machine.cpu, "-smp", str(machine.cpus), "-m", machine.memory,
        "-kernel", str(boot.image), "-initrd", str(boot.initrd), "-append", boot.append,
        "-serial", f"file:{_escaped(console)}",
    ]
    folders = {"vm": boot.exchange}
    if boot.share:
        folders["share"] = boot.share
    for tag, folder in folders.items():
        arguments += ["-fsdev", f"local,id={tag},path={_escaped(folder)},security_model=none,multidevs=remap",
                      "-device", f"virtio-9p-pci,fsdev={tag},mount_tag={tag}"]
    for device in machine.devices:
        arguments += ["-device", device]
    if machine.disk:
        arguments += ["-drive", f"if=none,id=disk,format=raw,file={_escaped(machine.disk)}",
                      "-device", "virtio-blk-pci,drive=disk"]
    if channels:
        for name, descriptor in channels.items():
            arguments += ["-chardev", f"socket,id={name},fd={descriptor}"]
        arguments += ["-mon", "chardev=qmp,mode=control", "-serial", "chardev:steps"]
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


@contextmanager
def started(arguments: list[str], channels: Mapping[str, int] | None = None) -> Iterator[subprocess.Popen[str]]:
    """QEMU while the block runs, which ends it if it has not ended. Raises Trouble if QEMU itself failed."""
    process = subprocess.Popen(arguments, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                               text=True, pass_fds=tuple((channels or {}).values()))
    try:
        yield process
    finally:
        status = process.poll()
        if status is None:
            process.kill()
        said = process.communicate()[0].strip()
        # Whatever else went wrong in the block came of this.
        if status:
            how = f"failed with status {status}" if status > 0 else f"was ended by signal {-status}"
            raise Trouble(f"QEMU {how}: {said}")


@contextmanager
def told(commands: tuple[str, ...]) -> Iterator[tuple[list[str], dict[str, int]]]:
    """Arguments and channels of a QEMU whose monitor finds these commands when it starts."""
    ours, qemus = socket.socketpair()
    with ours, qemus:
        ours.sendall("".join(f"{command}\n" for command in commands).encode())
        yield (["-chardev", f"socket,id=script,fd={qemus.fileno()}", "-mon", "chardev=script,mode=readline"],
               {"script": qemus.fileno()})


def run(arguments: list[str], timeout: float, outputs: list[Path], last_status: Path,
        monitor: tuple[str, ...] = (), booted: Path | None = None) -> None:
    """Runs QEMU until the guest has powered off. Raises TimeLimit, or Trouble if QEMU itself failed; where the guest's
    init makes a file `booted`, BootLimit."""
    tails = [Tail(path) for path in outputs]
    begin = time.monotonic()
    end = begin + timeout
    with told(monitor) as (more, channels), started(arguments + more, channels) as process:
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
            if booted and time.monotonic() > begin + BOOT_SECONDS and not booted.exists():
                raise BootLimit
    for tail in tails:
        tail.copy()
