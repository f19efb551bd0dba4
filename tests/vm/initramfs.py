# SPDX-License-Identifier: GPL-2.0
"""The guest's initramfs: static busybox, modules, programs with their shared libraries, files."""

import lzma
import os
import re
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from kernel import Kernel, Trouble

# What it takes to reach the host's folders, in any order.
BOOT_MODULES = ["virtio_pci", "9pnet_virtio", "9p"]
FOLDERS = ["dev", "etc", "proc", "root", "run", "share", "sys", "tmp", "usr/bin", "usr/sbin", "bin", "sbin", "vm"]
# pthread_cancel and pthread_exit load it by name, so no program lists it.
UNWINDER = "/lib/x86_64-linux-gnu/libgcc_s.so.1"


@dataclass
class Contents:
    modules: list[Path] = field(default_factory=list)
    kernel_modules: list[str] = field(default_factory=list)
    """The kernel's own, with those that they depend on."""
    programs: list[Path] = field(default_factory=list)
    """Found in PATH when given without a slash."""
    files: list[tuple[Path, Path]] = field(default_factory=list)
    """Each with its place in the guest."""


def build(kernel: Kernel, contents: Contents, folder: Path) -> Path:
    """Writes `folder`/initrd; uncompressed, since copying is cheaper than inflating under emulation."""
    root = folder / "root"
    for name in FOLDERS:
        (root / name).mkdir(parents=True, exist_ok=True)
    shutil.copy(Path(__file__).parent / "init", root / "init")
    _add_busybox(root)
    _add_modules(root, kernel, contents)
    _add_programs(root, contents.programs)
    for source, destination in contents.files:
        _copy(source, root / destination.relative_to("/"))
    initrd = folder / "initrd"
    _archive(root, initrd)
    shutil.rmtree(root)
    return initrd


def tool(name: str) -> str:
    """The path of a host program, also of those that only root has in PATH."""
    path = shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    if path is None:
        raise Trouble(f"{name} is not installed: run scripts/deps vm")
    return path


def _copy(source: Path, destination: Path) -> None:
    destination.parent.mkdir(parents=True, exist_ok=True)
    try:
        shutil.copy(source, destination)
    except OSError as error:
        raise Trouble(f"cannot put {source} into the guest: {error.strerror}") from None


def _add_busybox(root: Path) -> None:
    busybox = tool("busybox")
    _copy(Path(busybox), root / "bin/busybox")
    for applet in subprocess.run([busybox, "--list"], check=True, capture_output=True, text=True).stdout.split():
        if applet != "busybox":
            (root / "bin" / applet).symlink_to("busybox")
    # Where the kernel looks for it.
    (root / "sbin/modprobe").symlink_to("/bin/busybox")


def _add_modules(root: Path, kernel: Kernel, contents: Contents) -> None:
    target = root / "lib/modules" / kernel.version
    boot = kernel.with_dependencies(BOOT_MODULES)
    for module in boot + kernel.with_dependencies(contents.kernel_modules):
        _copy_module(kernel.modules / module, target / _unpacked(module))
    for module in contents.modules:
        _copy_stripped(module, target / "ballast" / module.name)
    for table in ("modules.builtin", "modules.builtin.modinfo", "modules.order"):
        _copy(kernel.modules / table, target / table)
    subprocess.run([tool("depmod"), "-b", root, kernel.version], check=True)
    lines = [f"/lib/modules/{kernel.version}/{_unpacked(module)}\n" for module in boot]
    (root / "etc/boot-modules").write_text("".join(lines))


def _unpacked(module: Path) -> Path:
    return module.with_suffix("") if module.suffix == ".xz" else module


def _copy_module(source: Path, destination: Path) -> None:
    """Uncompressed, which is what busybox's insmod takes in any configuration."""
    if source.suffix != ".xz":
        _copy(source, destination)
        return
    destination.parent.mkdir(parents=True, exist_ok=True)
    destination.write_bytes(lzma.decompress(source.read_bytes()))


def _add_programs(root: Path, programs: list[Path]) -> None:
    needed: set[Path] = set()
    for program in programs:
        found = program if "/" in str(program) or program.exists() else Path(tool(str(program)))
        _copy_stripped(found, root / "usr/bin" / found.name)
        needed.update(libraries(found))
    if needed:
        needed.add(Path(UNWINDER))
    for library in needed:
        _copy(library, root / library.relative_to("/"))


def libraries(program: Path) -> list[Path]:
    """The program's shared libraries and its loader; none for scripts and static programs."""
    result = subprocess.run(["ldd", program.resolve()], capture_output=True, text=True, check=False)
    missing = re.search(r"(\S+) => not found", result.stdout)
    if missing:
        raise Trouble(f"{program} needs {missing[1]}, which this machine lacks")
    return [Path(path) for path in re.findall(r"(?:=> |^\s*)(/\S+) \(0x", result.stdout, re.MULTILINE)]


def _copy_stripped(source: Path, destination: Path) -> None:
    """Without debug information, most of a program's size; scripts stay as they are."""
    _copy(source, destination)
    with destination.open("rb") as opened:
        is_elf = opened.read(4) == b"\x7fELF"
    if is_elf:
        subprocess.run([tool("strip"), "--strip-debug", destination], check=True)


def _archive(root: Path, initrd: Path) -> None:
    names = sorted(str(path.relative_to(root)) for path in root.rglob("*"))
    with initrd.open("wb") as output:
        subprocess.run(
            [tool("cpio"), "--create", "--format=newc", "--null", "--quiet", "--owner=0:0"],
            cwd=root, input="\0".join(names).encode(), stdout=output, check=True)
