# SPDX-License-Identifier: GPL-2.0
"""A kernel's folder, as scripts/kernel prints it."""

from dataclasses import dataclass
from pathlib import Path


class Trouble(Exception):
    """What keeps a guest from running: one line for the user."""


@dataclass(frozen=True)
class Kernel:
    folder: Path
    version: str

    @staticmethod
    def open(folder: Path) -> "Kernel":
        try:
            version = (folder / "version").read_text().strip()
        except OSError:
            raise Trouble(f"{folder} is no kernel's folder: give the one that scripts/kernel prints") from None
        return Kernel(folder.resolve(), version)

    @property
    def image(self) -> Path:
        return self.folder / "vmlinuz"

    @property
    def modules(self) -> Path:
        return self.folder / "lib/modules" / self.version

    @property
    def config(self) -> Path:
        place = self.folder / f"boot/config-{self.version}"
        return place if place.exists() else self.modules / "config"

    @property
    def tcg_thread(self) -> str:
        """Under QEMU's emulation with a thread for each CPU, 7.x oopses when trace events go on and off."""
        return "single" if int(self.version.partition(".")[0]) >= 7 else "multi"

    @property
    def paging_levels(self) -> int:
        """That it has on a CPU that can do five: newer kernels always, older ones if they were configured so."""
        return 4 if "# CONFIG_X86_5LEVEL is not set" in self.config.read_text().splitlines() else 5

    def with_dependencies(self, names: list[str]) -> list[Path]:
        """The modules' files, relative to `modules`, each after those that it depends on; built-in ones have none."""
        dependencies: dict[str, list[str]] = {}
        for line in (self.modules / "modules.dep").read_text().splitlines():
            path, _, needed = line.partition(":")
            dependencies[path] = needed.split()
        by_name = {module_name(Path(path)): path for path in dependencies}

        built_in = {module_name(Path(line)) for line in (self.modules / "modules.builtin").read_text().splitlines()}
        order: list[Path] = []

        def add(path: str) -> None:
            for needed in dependencies[path]:
                add(needed)
            if Path(path) not in order:
                order.append(Path(path))

        for name in names:
            if name in built_in:
                continue
            if name not in by_name:
                raise Trouble(f"kernel {self.version} has no module {name}")
            add(by_name[name])
        return order

    def has_module(self, name: str) -> bool:
        return any(module_name(path) == name for path in self.modules.rglob(f"{name}.ko*"))


def module_name(path: Path) -> str:
    return path.name.partition(".")[0].replace("-", "_")
