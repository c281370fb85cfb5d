"""Every request of a run: when it was due, how long it took, what came back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

BIN_S = 0.5
DEADLINES_S = {"read": 1.0, "personal": 1.0, "event": 5.0}


@dataclass(frozen=True, slots=True)
class Entry:
    """One request. Times in seconds: `due` from the beginning of the run, `took` from then on, `waited` from sending.

    `status` 0: no answer (connection lost, or none within the client's patience).
    """

    kind: str
    due: float
    took: float
    waited: float
    status: int
    degraded: bool

    @property
    def good(self) -> bool:
        """A shopper got what was asked for, degraded or not."""
        return 200 <= self.status < 400


@dataclass(slots=True)
class Ledger:
    """The requests of one run, and the ids of events that were answered 202."""

    entries: list[Entry] = field(default_factory=list)
    acknowledged: list[str] = field(default_factory=list)

    def between(self, begin: float, end: float, *kinds: str) -> list[Entry]:
        """Requests that were due in a span, of some kinds only."""
        return [e for e in self.entries if begin <= e.due < end and (not kinds or e.kind in kinds)]


def error_share(entries: Sequence[Entry]) -> float:
    """Share of requests without a good answer; 0 for none."""
    return sum(not e.good for e in entries) / len(entries) if entries else 0.0


def degraded_share(entries: Sequence[Entry]) -> float:
    """Share of good reads that were marked degraded."""
    good = [e for e in entries if e.good and e.kind != "event"]
    return sum(e.degraded for e in good) / len(good) if good else 0.0


def percentile_ms(entries: Iterable[Entry], percent: float) -> float:
    """Time to answer at a percentile (nearest rank), milliseconds; 0 for no entries."""
    took = sorted(e.took for e in entries)
    return took[min(len(took) - 1, int(len(took) * percent / 100))] * 1000 if took else 0.0


def over_deadline_ms(entries: Iterable[Entry]) -> float:
    """By how much the slowest request overran the deadline the edge promises for its kind; 0 if none did."""
    return max([0.0, *((e.waited - DEADLINES_S[e.kind]) * 1000 for e in entries)])


def last_error_s(entries: Iterable[Entry], since: float) -> float:
    """Seconds from `since` to the last request without a good answer; 0 if all were good."""
    return max([0.0, *(e.due + e.took - since for e in entries if not e.good)])


def availability(entries: Sequence[Entry], begin: float, end: float) -> list[tuple[float, float, float]]:
    """(second since `begin`, good share, degraded share among the good) for each half second with requests."""
    bins: dict[int, list[Entry]] = {}
    for entry in entries:
        if begin <= entry.due < end:
            bins.setdefault(int((entry.due - begin) / BIN_S), []).append(entry)
    return [(n * BIN_S, 1 - error_share(found), degraded_share(found)) for n, found in sorted(bins.items())]
