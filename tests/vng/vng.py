# SPDX-License-Identifier: GPL-2.0
"""A guest of virtme-ng: this machine's root file system, read-only, under another kernel."""

import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

sys.path.append(str(Path(__file__).parent.parent / "vm"))

import qemu  # noqa: E402
from kernel import Kernel, Trouble  # noqa: E402

SHARE = "/mnt"


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
    timeout: float = 1200

    def command_line(self, command: str) -> list[str]:
        if not shutil.which("vng"):
            raise Trouble("vng is not installed: run scripts/deps vng")
        arguments = ["vng", "-r", str(self.kernel.image.resolve()), "--force-9p", "--cpus", "2", "-m", self.memory,
                     "--user", "root", "--rwdir", f"{SHARE}={self.share}"]
        # vng takes KVM wherever /dev/kvm opens.
        if qemu.accelerator() != "kvm":
            arguments.append("--disable-kvm")
        for word in self.append:
            arguments += ["-a", word]
        return arguments + ["--", command]

    def run(self, command: str) -> "subprocess.CompletedProcess[str]":
        """Runs `command` as root; its exit status is the result's. Raises Trouble after the guest's time limit."""
        # Its output to a pipe: QEMU opens a file anew, and writes over what is in it.
        try:
            return subprocess.run(self.command_line(command), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, text=True, errors="replace", timeout=self.timeout, check=False)
        except subprocess.TimeoutExpired as expired:
            said = (expired.stdout or b"").decode(errors="replace")[-2000:]
            raise Trouble(f"the guest took more than {self.timeout:g} s; it said: {said}") from None


def initramfs(kernel: Kernel, output: Path) -> None:
    """What a capture kernel boots vng's root file system with; not all kernels keep the one that they booted with."""
    modules = [] if isinstance(kernel, Tree) else ["--mod-kversion", kernel.version]
    subprocess.run(["virtme-mkinitramfs", *modules, "--outfile", output], check=True,
                   env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "MODPROBE_OPTIONS": f"-d {kernel.folder}"})
