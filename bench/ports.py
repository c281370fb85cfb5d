"""Ports for private servers."""

from __future__ import annotations

import os
import random
import socket
from collections.abc import Iterator
from functools import cache
from itertools import count

# Below the range from which the system serves outgoing connections: one of those could take a port that a test will
# use again after a restart. Each parallel test worker draws from a part of its own.
FIRST, PART, PARTS = 10_000, 5_500, 4


def free_ports(wanted: int) -> list[int]:
    """Ports of loopback that were free a moment ago; this process gets none of them twice until all had their turn."""
    return [next(port for port in _candidates() if _is_free(port)) for _ in range(wanted)]


@cache
def _turns() -> count[int]:
    return count(random.SystemRandom().randrange(PART))


def _candidates() -> Iterator[int]:
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % PARTS
    for turn in _turns():
        yield FIRST + PART * worker + turn % PART


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
