# SPDX-License-Identifier: GPL-2.0
"""A guest of virtme-ng: this machine's root file system, read-only, under another kernel."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

sys.path.append(str(Path(__file__).parent.parent / "vm"))

import qemu  # noqa: E402
from kernel import Kernel, Trouble  # noqa: E402

SHARE = "/mnt"
POLL_SECONDS = 0.5


@dataclass(frozen=True)
class Tree(Kernel):
    """A kernel's source tree, configured with vng --kconfig and built: what vng needs is built in."""

    @property
    def image(self) -> Path:
        return self.folder / "arch/x86/boot/bzImage"


def kernel_of(folder: Path) -> Kernel:
    """Of a folder of scripts/kernel, or a kernel's tree."""
    release = folder / "include/config/kernel.release"
    if not release.exists():
        return Kernel.open(folder)
    tree = Tree(folder.resolve(), release.read_text().strip())
    if not tree.image.exists():
        raise Trouble(f"{folder} is a kernel's tree without {tree.image.relative_to(tree.folder)}: build it first")
    return tree


@dataclass(frozen=True)
class Guest:
    kernel: Kernel
    share: Path
    """The host's folder that the guest sees as /mnt."""
    append: tuple[str, ...] = ()
    """For the kernel's command line."""
    memory: str = "1G"
    options: tuple[str, ...] = ()
    """More of vng's."""
    timeout: float = 1200

    def command_line(self, command: str) -> list[str]:
        if not shutil.which("vng"):
            raise Trouble("vng is not installed: run scripts/deps vng")
        arguments = ["vng", "-r", str(self.kernel.image.resolve()), "--force-9p", "--cpus", "2", "-m", self.memory,
                     "--user", "root", "--rwdir", f"{SHARE}={self.share}", *self.options]
        # vng takes KVM wherever /dev/kvm opens. With a thread for each CPU emulation fails where code is patched, as
        # tracepoints are: tests/vm/CMakeLists.txt.
        accelerator = qemu.accelerator("single")
        if accelerator != "kvm":
            arguments += ["--disable-kvm", f"--qemu-opts=-accel {accelerator}"]
        for word in self.append:
            arguments += ["-a", word]
        return arguments + ["--", command]

    def run(self, command: str) -> "subprocess.CompletedProcess[str]":
        """Runs `command` as root; its exit status is the result's. Raises Trouble after the guest's time limit."""
        with self.started(command) as process:
            said = self.wait(process)
            return subprocess.CompletedProcess(command, process.returncode, said)

    @contextmanager
    def started(self, command: str) -> "Iterator[subprocess.Popen[str]]":
        """vng, running `command` while the block runs; what is left of it then ends."""
        # Its output to a pipe: QEMU opens a file anew, and writes over what is in it.
        process = subprocess.Popen(self.command_line(command), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.STDOUT, text=True, errors="replace", start_new_session=True)
        try:
            yield process
        finally:
            # QEMU is a grandchild.
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            if process.stdout and not process.stdout.closed:
                process.communicate()

    def wait(self, process: "subprocess.Popen[str]") -> str:
        """Until vng has ended; returns what it said. Raises Trouble after the guest's time limit."""
        try:
            return process.communicate(timeout=self.timeout)[0]
        except subprocess.TimeoutExpired as expired:
            # Bytes, whatever the pipe's mode is.
            said = expired.stdout if isinstance(expired.stdout, bytes) else b""
            raise Trouble(f"the guest took more than {self.timeout:g} s; it said: "
                          + said.decode(errors="replace")[-2000:]) from None

    def wait_for(self, process: "subprocess.Popen[str]", path: Path) -> None:
        """Until the guest has made the file. Raises Trouble if it ended before, or after its time limit."""
        end = time.monotonic() + self.timeout
        while not path.exists():
            if process.poll() is not None:
                raise Trouble(f"the guest ended too early; it said: {process.communicate()[0][-2000:]}")
            if time.monotonic() > end:
                raise Trouble(f"the guest did not get as far as {path.name} within {self.timeout:g} s")
            time.sleep(POLL_SECONDS)


def initramfs(kernel: Kernel, output: Path) -> None:
    """What a capture kernel boots vng's root file system with; not all kernels keep the one that they booted with."""
    modules = [] if isinstance(kernel, Tree) else ["--mod-kversion", kernel.version]
    subprocess.run(["virtme-mkinitramfs", *modules, "--outfile", output], check=True,
                   env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "MODPROBE_OPTIONS": f"-d {kernel.folder}"})
