# SPDX-License-Identifier: GPL-2.0
"""A guest that may go to sleep. It does one thing at a time, and has no folder of the host's."""

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import guest as guests
import kernel_log
import qemu
from guest import Guest
from initramfs import Contents
from kernel import Kernel, Trouble
from live import LiveGuest, StepFailed
from qemu import Machine

INIT = Path(__file__).parent / "sleep_init"


def sleeping_guest(kernel: Path, machine: Machine, modules: Path, programs: list[Path], timeout: float,
                   kernel_modules: tuple[str, ...] = (), append: str = "") -> Guest:
    """`modules`: a folder, every .ko in it is for the guest. `append`: more for its kernel's command line."""
    return Guest(
        kernel=Kernel.open(kernel),
        # SeaBIOS is in system management mode for a moment when the machine wakes. One in many kernels (6.12) woke with flags
        # that nobody had set but QEMU's emulated RSM, interrupts enabled among them, and then complained for ever; one in
        # many more left without a word as it woke. Neither was seen where one thread emulates all CPUs.
        machine=replace(machine, smm=False, tcg_thread=machine.tcg_thread or "single"),
        contents=Contents(modules=sorted(modules.rglob("*.ko")), kernel_modules=list(kernel_modules), programs=programs,
                          files=[(INIT, Path("/sleep_init"))]),
        # kernelcore leaves the rest to ZONE_MOVABLE, whose memory blocks can go offline.
        append=f"rdinit=/sleep_init kernelcore=40% {append}",
        timeout=timeout)


class Sleeper(LiveGuest):
    """A guest that does one thing at a time, through sleep_init."""

    def run(self, command: str, timeout: float = 300) -> str:
        self.begin(command)
        return self.end(command, timeout)

    def begin(self, command: str) -> None:
        self._line.write(command)

    def run_to_power_off(self, command: str, timeout: float) -> None:
        """Runs a command that does not end since the machine goes; raises StepFailed if it did."""
        self.begin(command)
        try:
            answer = self._line.read(time.monotonic() + timeout)
        except Trouble:
            return  # QEMU is gone.
        raise StepFailed(f"{command}: {answer}\n{kernel_log.tail(guests.read(self.folder / 'console'))}")

    def end(self, command: str, timeout: float = 300) -> str:
        """The output of the command that was begun; raises StepFailed, with the kernel's last words, if it failed."""
        status, _, output = self._read_line(timeout, command).partition(" ")
        if status != "0":
            said = kernel_log.tail(guests.read(self.folder / "console"))
            raise StepFailed(f"{command}: status {status}: {output}\n{said}")
        return output


@contextmanager
def sleeper(guest: Guest, folder: Path) -> Iterator[Sleeper]:
    """A booted guest, which is stopped at the block's end if it runs; raises Trouble if its kernel complained. `folder`: its
    exchange()."""
    monitor, qemus_monitor = socket.socketpair()
    line, qemus_line = socket.socketpair()
    with monitor, line:
        channels = {"qmp": qemus_monitor.fileno(), "steps": qemus_line.fileno()}
        try:
            with qemu.started(guests.command_line(guest, folder, guest.append, channels), channels) as process:
                qemus_monitor.close()
                qemus_line.close()
                yield Sleeper(folder, process, monitor, line, guest.timeout)
        finally:
            if guests.complain(guests.read(folder / "console"), None):
                raise Trouble("the guest's kernel complained, see above")
