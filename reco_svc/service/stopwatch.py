"""How long each stage of a long job took, how far it is, and how much memory it needed."""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Stopwatch:
    """Tells `progress(stage, share)` when a stage begins and remembers its seconds."""

    def __init__(self, progress: Callable[[str, float], None]) -> None:
        self._progress = progress
        self._begun = time.perf_counter()
        self._seconds: dict[str, float] = {}
        self._stage = ""

    @contextmanager
    def stage(self, name: str, share: float) -> Iterator[None]:
        """One stage, begun when `share` of the whole is done."""
        self._stage = name
        self._progress(name, share)
        begun = time.perf_counter()
        try:
            yield
        finally:
            self._seconds[name] = self._seconds.get(name, 0.0) + time.perf_counter() - begun

    def within(self, share: float) -> None:
        """Further on in the present stage."""
        self._progress(self._stage, share)

    def facts(self) -> dict[str, float]:
        """Seconds by stage ("read_log_s"), their total ("total_s") and the peak memory of the process
        ("peak_rss_mb")."""
        facts = {f"{name.replace(' ', '_')}_s": round(seconds, 3) for name, seconds in self._seconds.items()}
        facts["total_s"] = round(time.perf_counter() - self._begun, 3)
        facts["peak_rss_mb"] = round(peak_rss_mb(), 1)
        return facts


def peak_rss_mb() -> float:
    """The most memory this process ever had, MB."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1 << 20) if sys.platform == "darwin" else peak / 1024
