# SPDX-License-Identifier: GPL-2.0
"""A disk with a small Debian on it whose kdump-tools service saves crashes; it crashes when it has booted."""

import os
import shutil
import subprocess
from pathlib import Path

import cache
from initramfs import libraries, tool
from kdump import CHECKSUM_MODULE
from kernel import Kernel, Trouble

KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
PACKAGES = ["systemd-sysv", "udev", "kmod", "initramfs-tools", "kdump-tools", "linux-base"]
# What it takes to find the disk, and to read it; the rest of the machine is not needed.
MODULES = ["virtio_pci", "virtio_blk", "ext4"]
DISK_SIZE = "3G"

CRASH_SERVICE = """
[Unit]
Description=A crash, as soon as kdump-tools is ready for it
After=kdump-tools.service
Requires=kdump-tools.service

[Service]
Type=oneshot
ExecStart=/bin/sh -c 'echo "ballast: about to crash" >/dev/kmsg; sync; echo c >/proc/sysrq-trigger'
"""


def release() -> str:
    """This machine's Debian, so that the programs that were built here run there."""
    for line in Path("/etc/os-release").read_text().splitlines():
        if line.startswith("VERSION_CODENAME="):
            return line.partition("=")[2].strip('"')
    raise Trouble("/etc/os-release has no VERSION_CODENAME")


def base() -> Path:
    """The Debian without a kernel, made once in the cache."""
    place = cache.folder() / "kdump-tools" / release()
    with cache.alone("kdump-tools"):
        if not place.exists():
            bootstrap(place)
    return place


def bootstrap(place: Path) -> None:
    making = place.with_name(f"{place.name}.making")
    shutil.rmtree(making, ignore_errors=True)
    making.parent.mkdir(parents=True, exist_ok=True)
    log = place.with_name(f"{place.name}.log")
    with log.open("w") as output:
        made = subprocess.run(
            [tool("debootstrap"), "--variant=minbase", f"--include={','.join(PACKAGES)}", f"--keyring={KEYRING}", release(),
             making, os.environ.get("BALLAST_MIRROR", "http://deb.debian.org/debian")],
            env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"}, stdout=output, stderr=subprocess.STDOUT, check=False)
    if made.returncode:
        raise Trouble(f"debootstrap failed, see {log}: {log.read_text().splitlines()[-1]}")
    for package in (making / "var/cache/apt/archives").glob("*.deb"):
        package.unlink()
    making.rename(place)


def build(kernel: Kernel, dumper: Path, folder: Path) -> Path:
    """Writes `folder`/disk, which boots with the image and the initramfs in `folder`; returns the disk."""
    root = folder / "root"
    subprocess.run(["cp", "-a", base(), root], check=True)
    _add_dumper(root, dumper)
    _add_kernel(root, kernel)
    _configure(root, modules_for(kernel))
    in_root(root, "update-initramfs", "-c", "-k", kernel.version)
    in_root(root, "/etc/kernel/postinst.d/kdump-tools", kernel.version)
    # Without the settings that it was made with the service makes that initramfs anew, which takes minutes under emulation.
    shutil.copy(root / "etc/kdump/sysctl.conf", root / f"var/lib/kdump/latest_sysctls-{kernel.version}")
    shutil.copy(root / f"boot/vmlinuz-{kernel.version}", folder / "vmlinuz")
    shutil.copy(root / f"boot/initrd.img-{kernel.version}", folder / "initrd")
    disk = folder / "disk"
    subprocess.run([tool("mke2fs"), "-q", "-F", "-t", "ext4", "-d", root, disk, DISK_SIZE], check=True,
                   stdout=subprocess.DEVNULL)
    shutil.rmtree(root)
    return disk


def modules_for(kernel: Kernel) -> list[str]:
    return MODULES + [CHECKSUM_MODULE] * kernel.has_module(CHECKSUM_MODULE)


def in_root(root: Path, *command: str) -> None:
    done = subprocess.run([tool("chroot"), root, *command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          check=False)
    if done.returncode:
        raise Trouble(f"{command[0]} in the guest's Debian failed: {done.stdout}")


def _add_dumper(root: Path, dumper: Path) -> None:
    """In makedumpfile's place, under its name."""
    place = root / "usr/bin/makedumpfile"
    # kdump-tools but recommends makedumpfile, so it may be missing.
    place.unlink(missing_ok=True)
    shutil.copy(dumper, place)
    for library in libraries(dumper):
        there = root / library.relative_to("/")
        if not there.exists():
            there.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(library, there)


def _add_kernel(root: Path, kernel: Kernel) -> None:
    target = root / "lib/modules" / kernel.version
    for module in kernel.with_dependencies(modules_for(kernel)):
        (target / module).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(kernel.modules / module, target / module)
    for table in ("modules.builtin", "modules.builtin.modinfo", "modules.order"):
        shutil.copy(kernel.modules / table, target / table)
    subprocess.run([tool("depmod"), "-b", root, kernel.version], check=True)
    shutil.copy(kernel.image, root / f"boot/vmlinuz-{kernel.version}")
    shutil.copy(kernel.config, root / f"boot/config-{kernel.version}")


def _configure(root: Path, modules: list[str]) -> None:
    (root / "etc/fstab").write_text("/dev/vda / ext4 defaults 0 1\n")
    (root / "etc/initramfs-tools/initramfs.conf").write_text("MODULES=list\nCOMPRESS=gzip\n")
    (root / "etc/initramfs-tools/modules").write_text("\n".join(modules) + "\n")
    (root / "etc/systemd/system/crash.service").write_text(CRASH_SERVICE)
    wants = root / "etc/systemd/system/multi-user.target.wants"
    wants.mkdir(parents=True, exist_ok=True)
    (wants / "crash.service").symlink_to("/etc/systemd/system/crash.service")
