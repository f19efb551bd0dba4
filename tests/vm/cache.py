# SPDX-License-Identifier: GPL-2.0
"""What all clones of the project on this machine share: downloads, and whose turn it is."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def folder() -> Path:
    """As in scripts/kernel."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "ballast"


@contextmanager
def alone(what: str) -> Iterator[None]:
    """Nobody else on this machine is in a block of the same name; waits for who is."""
    folder().mkdir(parents=True, exist_ok=True)
    with (folder() / f"{what}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
