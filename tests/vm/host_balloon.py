# SPDX-License-Identifier: GPL-2.0
"""A virtio balloon as the host has it: QEMU's device, its target, and which driver of the guest serves it.

As in QEMU's monitor, a size is what the guest has left: the balloon is the guest's memory minus it.
"""

import time
from pathlib import Path

from kernel import Trouble
from live import LiveGuest, wait_until

DRIVERS = Path("/sys/bus/virtio/drivers")
DEVICES = Path("/sys/bus/virtio/devices")
ID = "balloon"


class HostBalloon:
    """The guest's only balloon device; QEMU has no more than one."""

    def __init__(self, guest: LiveGuest, memory: int) -> None:
        """`memory`: the guest's, in bytes."""
        self.guest = guest
        self.memory = memory

    def plug(self, **properties: bool) -> None:
        """Adds the device, and waits until the guest has found it; it may have no driver yet."""
        self.guest.qmp.execute("device_add", {"driver": "virtio-balloon-pci", "id": ID} |
                               {name.replace("_", "-"): value for name, value in properties.items()})
        wait_until(lambda: self._names() != [], "the guest finds the balloon device")

    def unplug(self) -> None:
        """Takes the device away, and waits until the guest has let it go."""
        self.guest.qmp.execute("device_del", {"id": ID})
        self.guest.qmp.wait_event("DEVICE_DELETED", 120, device=ID)

    @property
    def name(self) -> str:
        """The device's name in the guest, such as virtio2."""
        names = self._names()
        if len(names) != 1:
            raise Trouble(f"the guest has {len(names)} balloon devices where it should have one")
        return names[0]

    @property
    def driver(self) -> str:
        """The guest's driver that has the device; empty: none."""
        return Path(self.guest.run(f"readlink {DEVICES}/{self.name}/driver || true").strip()).name

    def bind(self, driver: str) -> None:
        """Hands the device over to a driver, whose module is loaded."""
        name = self.name
        before = self.driver
        if before != driver:
            if before:
                self.guest.run(f"echo {name} >{DRIVERS}/{before}/unbind")
            self.guest.run(f"echo {name} >{DRIVERS}/{driver}/bind")

    def attribute(self, name: str) -> int:
        """One of the files that balloon_kvm gives the device."""
        return self.guest.number(f"cat {DEVICES}/{self.name}/balloon/{name}")

    @property
    def actual(self) -> int:
        """What the guest has left, as it told QEMU last; bytes."""
        return int(self.guest.qmp.execute("query-balloon")["actual"])

    def set_target(self, size: int) -> None:
        self.guest.qmp.execute("balloon", {"value": size})

    def resize(self, size: int, timeout: float = 180) -> None:
        """Sets the target and waits until the guest is there."""
        self.set_target(size)
        wait_until(lambda: self.actual == size, f"the guest has {size >> 20} MiB left", timeout)

    def timed_resize(self, size: int, timeout: float = 300) -> float:
        """Same; returns the seconds from QEMU's having the target to the guest's telling it that it is there."""
        self.set_target(size)
        begin = time.perf_counter()
        while self.actual != size:
            if time.perf_counter() - begin > timeout:
                raise Trouble(f"the guest has {self.actual >> 20} MiB left after {timeout:g} s, not {size >> 20}")
            time.sleep(0.002)
        return time.perf_counter() - begin

    def _names(self) -> list[str]:
        # 5 is the balloon's device id.
        return [Path(line).parent.name
                for line in self.guest.run(f"grep -lx 0x0005 {DEVICES}/*/device || true").splitlines()]
