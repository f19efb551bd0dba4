# SPDX-License-Identifier: GPL-2.0
"""QEMU's monitor, as its QMP specification has it: commands with their answers, and events."""

import json
import socket
import time
from collections.abc import Callable
from typing import Any

from kernel import Trouble

Message = dict[str, Any]


class QmpError(Trouble):
    """QEMU refused a command."""


class Lines:
    """Lines from a connected socket, each within a time limit."""

    def __init__(self, connection: socket.socket, peer: str) -> None:
        self._connection = connection
        self._peer = peer
        self._received = b""

    def read(self, end: float) -> str:
        """The next line. `end` is of time.monotonic(); raises TimeoutError after it, Trouble when the peer is gone."""
        while b"\n" not in self._received:
            self._connection.settimeout(max(end - time.monotonic(), 0.001))
            try:
                gained = self._connection.recv(1 << 16)
            except ConnectionResetError:
                gained = b""
            if not gained:
                raise Trouble(f"{self._peer} is gone")
            self._received += gained
        line, self._received = self._received.split(b"\n", 1)
        return line.decode(errors="replace").strip()

    def write(self, line: str) -> None:
        self._connection.settimeout(None)
        try:
            self._connection.sendall(line.encode() + b"\n")
        except (BrokenPipeError, ConnectionResetError):
            raise Trouble(f"{self._peer} is gone") from None


class Qmp:
    """A connection to QEMU's monitor; `timeout`s are in seconds."""

    def __init__(self, connection: socket.socket, timeout: float = 300) -> None:
        self._lines = Lines(connection, "QEMU")
        self._timeout = timeout
        self._events: list[Message] = []
        self._next(lambda message: "QMP" in message, timeout)
        self.execute("qmp_capabilities")

    def execute(self, command: str, arguments: Message | None = None) -> Any:
        """What the command returns. Raises QmpError if QEMU refuses it."""
        self._lines.write(json.dumps({"execute": command} | ({"arguments": arguments} if arguments else {})))
        answer = self._next(lambda message: "return" in message or "error" in message, self._timeout)
        if "error" in answer:
            raise QmpError(f"QEMU's {command}: {answer['error']['desc']}")
        return answer["return"]

    def human(self, command: str) -> str:
        """What a command of the monitor for people prints, as `info balloon`."""
        return str(self.execute("human-monitor-command", {"command-line": command}))

    def forget_events(self) -> None:
        """Those that came until now, for a wait_event() for what is to come."""
        self.execute("query-name")
        self._events.clear()

    def wait_event(self, name: str, timeout: float, **data: Any) -> Message:
        """The data of the first event of that name, with those values in it, that no one has waited for yet."""
        def fits(message: Message) -> bool:
            return message.get("event") == name and data.items() <= message.get("data", {}).items()
        for event in self._events:
            if fits(event):
                self._events.remove(event)
                return event.get("data", {})
        return self._next(fits, timeout).get("data", {})

    def _next(self, wanted: Callable[[Message], bool], timeout: float) -> Message:
        end = time.monotonic() + timeout
        while True:
            try:
                message: Message = json.loads(self._lines.read(end))
            except TimeoutError:
                raise Trouble(f"QEMU's monitor did not say in {timeout:g} s what was waited for") from None
            if wanted(message):
                return message
            if "event" in message:
                self._events.append(message)
