"""Secrets that a process makes for itself on first use and keeps in a file that only its user may read."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from pathlib import Path


def kept_secret(home: Path, name: str, make: Callable[[], str]) -> str:
    """The one line of the file `home/name` (mode 0600); made on first use.

    Safe for several processes at once: the first one's secret holds for all.
    """
    path = home / name
    home.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        made = path.with_name(f".{name}.{os.getpid()}.{secrets.token_hex(4)}")
        made.touch(mode=0o600)
        made.write_text(make() + "\n")
        try:
            os.link(made, path)
        except FileExistsError:
            pass  # another process was first
        finally:
            made.unlink()
    return path.read_text().strip()
