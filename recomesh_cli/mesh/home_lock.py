"""One `recomesh up` per home."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from recomesh_cli.failures import CommandFailed

LOCK_FILE = "up.lock"


@contextmanager
def home_lock(home: Path) -> Iterator[None]:
    """Holds the home while open; CommandFailed if another `up` does. The lock ends with the process."""
    try:
        home.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(home / LOCK_FILE, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        reason = f"{home} can not be written ({error.strerror}); set RECOMESH_HOME to a folder of yours"
        raise CommandFailed(reason) from None
    with os.fdopen(descriptor, "r+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            pid = file.read().strip() or "?"
            raise CommandFailed(
                f"`recomesh up` runs already in {home} (process {pid}); stop it, or set RECOMESH_HOME to another folder"
            ) from None
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        yield
