# SPDX-License-Identifier: GPL-2.0
"""A guest that a driver on the host works with while it lives: steps in the guest, QEMU's monitor, QEMU's memory.

A step is a shell script in the exchange folder. Its number goes to the guest on /dev/ttyS1, where an agent starts it;
its number and exit status come back on the same line, so that nobody polls.
"""

import re
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import guest as guests
import qemu
from guest import Guest
from kernel import Trouble
from qmp import Lines, Qmp

AGENT = """
echo -1000 >/proc/self/oom_score_adj
stty -F /dev/ttyS1 raw -echo
exec 3<>/dev/ttyS1
echo ready >&3
while read -r step <&3; do
	[ "$step" != end ] || exit 0
	(
		(
			echo 0 >/proc/self/oom_score_adj
			exec sh "/vm/step.$step" 3>&-
		) >"/vm/step.$step.output" 2>&1 </dev/null
		echo "$step $?" >&3
	) &
done
"""
POLL_SECONDS = 0.1


class StepFailed(AssertionError):
    """A command in the guest ended with another status than 0: what it said."""


@dataclass(frozen=True)
class Outcome:
    status: int
    output: str


class Step:
    """A command that runs in the guest."""

    def __init__(self, live: "LiveGuest", number: int, command: str) -> None:
        self._live = live
        self._number = number
        self._command = command

    def outcome(self, timeout: float = 300) -> Outcome:
        """Waits for its end. Raises Trouble when that takes more than `timeout` seconds."""
        status = self._live.wait_for(self._number, timeout, self._command)
        return Outcome(status, self.said)

    def output(self, timeout: float = 300) -> str:
        """Same, of a command that has to succeed; raises StepFailed if it did not."""
        outcome = self.outcome(timeout)
        if outcome.status != 0:
            raise StepFailed(f"{self._command}: status {outcome.status}: {outcome.output}")
        return outcome.output

    @property
    def said(self) -> str:
        """Its output until now."""
        return guests.read(self._live.folder / f"step.{self._number}.output")

    @property
    def ended(self) -> bool:
        return self._live.has_ended(self._number)


class LiveGuest:
    """What live() yields."""

    def __init__(self, folder: Path, process: subprocess.Popen[str], monitor: socket.socket, line: socket.socket,
                 timeout: float) -> None:
        self.folder = folder
        self._process = process
        self._end = time.monotonic() + timeout
        self.qmp = Qmp(monitor)
        self._line = Lines(line, "the guest")
        self._steps = 0
        self._statuses: dict[int, int] = {}
        self._read_line(timeout, "its boot")  # "ready"

    def start(self, command: str) -> Step:
        """Starts a shell command; others may run beside it."""
        self._steps += 1
        (self.folder / f"step.{self._steps}").write_text(command + "\n")
        self._line.write(str(self._steps))
        return Step(self, self._steps, command)

    def run(self, command: str, timeout: float = 300) -> str:
        """The output of a command that has to succeed."""
        return self.start(command).output(timeout)

    def number(self, command: str) -> int:
        """The only number that a command prints."""
        return int(self.run(command))

    def move_all(self) -> None:
        """Every page in the blocks of zone Movable that can go offline, and what compaction moves elsewhere."""
        self.run("for block in /sys/devices/system/memory/memory[0-9]*; do case $(cat $block/valid_zones) in "
                 "Movable*) echo offline >$block/state && echo online_movable >$block/state ;; "
                 "esac; done 2>/dev/null; echo 1 >/proc/sys/vm/compact_memory")

    def memory(self, key: str) -> int:
        """A line of /proc/meminfo, in bytes."""
        return 1024 * self.number(f"awk '/^{key}:/ {{ print $2 }}' /proc/meminfo")

    def host_memory(self) -> int:
        """What QEMU has resident, in bytes."""
        rollup = Path(f"/proc/{self._process.pid}/smaps_rollup").read_text()
        return 1024 * int(re.search(r"^Rss: *(\d+) kB", rollup, re.MULTILINE)[1])

    def has_ended(self, step: int) -> bool:
        try:
            while step not in self._statuses:
                self._take(self._line.read(time.monotonic()))
        except TimeoutError:
            return False
        return True

    def wait_for(self, step: int, timeout: float, what: str) -> int:
        end = time.monotonic() + timeout
        while step not in self._statuses:
            self._take(self._read_line(end - time.monotonic(), what))
        return self._statuses[step]

    def finish(self) -> None:
        """Has the guest write its kernel's log and power off."""
        self._line.write("end")
        try:
            self._process.wait(qemu.POWER_OFF_SECONDS)
        except subprocess.TimeoutExpired:
            raise Trouble("the guest does not power off") from None

    def _take(self, line: str) -> None:
        step, status = line.split()
        self._statuses[int(step)] = int(status)

    def _read_line(self, timeout: float, what: str) -> str:
        try:
            return self._line.read(min(time.monotonic() + timeout, self._end))
        except TimeoutError:
            console = guests.kernel_log.tail(guests.read(self.folder / "console"))
            raise Trouble(f"{what}: the guest took too long; its console's end:\n{console}") from None


@contextmanager
def live(guest: Guest) -> Iterator[LiveGuest]:
    """A booted guest; at the block's end it powers off. Raises Trouble if its kernel complained or it did not end."""
    monitor, qemus_monitor = socket.socketpair()
    line, qemus_line = socket.socketpair()
    with guests.exchange(guest) as folder, monitor, line:
        (folder / "command").write_text(AGENT)
        channels = {"qmp": qemus_monitor.fileno(), "steps": qemus_line.fileno()}
        arguments = guests.command_line(guest, folder, guest.append, channels)
        try:
            with qemu.started(arguments, channels) as process:
                qemus_monitor.close()
                qemus_line.close()
                running = LiveGuest(folder, process, monitor, line, guest.timeout)
                yield running
                running.finish()
        finally:
            status = guests.judge(guest, folder, in_time=True)
            # What the block raised came of it.
            if status == guests.STATUS_COMPLAINT:
                raise Trouble("the guest's kernel complained, see above")
        if status:
            raise Trouble(f"the guest's run ended with status {status}, see above")


def wait_until(condition: Callable[[], bool], what: str, timeout: float = 180, poll: float = POLL_SECONDS) -> None:
    """Polls; raises AssertionError with `what` after `timeout` seconds."""
    end = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"not in {timeout:g} s: {what}")
        time.sleep(poll)
