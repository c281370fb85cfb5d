"""Collecting garbage by the clock: in small pieces, and where there is none, hardly at all.

CPython's default collects after every 700 new objects, which is about one request: it made an answer of the recommender
a third slower. Almost everything is freed by reference counts, cycles are rare. And what it counts is objects made less
objects freed: while a full log of answers loses one for each that comes, the count stands still, the young pile up, and
one collection then walks them all for 0.1 s. So the young are collected every INTERVAL_S, a few milliseconds each.
"""

from __future__ import annotations

import asyncio
import gc
from typing import Protocol

THRESHOLDS = (100_000, 10, 1_000)  # of the interpreter's own collections, which then hardly ever come
INTERVAL_S = 0.1
MIDDLE = 3  # turns; the last one walks the middle generation too
ROUND = 10  # turns of `WhereItIs`
MOST_LEFT = 100_000  # objects thought to lie uncollected among the old, before all are walked


class Collector(Protocol):
    """The part of `gc` that is used."""

    def collect(self, generation: int = 2) -> int:
        """Walks the generations up to this one; returns how many unreachable objects it found."""

    def freeze(self) -> None:
        """Puts all objects out of sight, without a walk."""

    def unfreeze(self) -> None:
        """Puts what is out of sight among the old."""


class EveryTurn:
    """Walks the young at every turn, and at every third those that outlived one.

    The recommender keeps its answers, so at 3,000/s ten turns leave 100,000 objects: a pause of 20 to 40 ms. Three
    leave a pause of 10 ms, and what is garbage is found among the young all the same.
    """

    def __init__(self, collector: Collector = gc) -> None:
        self._collector = collector
        self._turn = 0

    def turn(self) -> int:
        """Once every INTERVAL_S; returns how much garbage there was."""
        self._turn += 1
        return self._collector.collect(0 if self._turn % MIDDLE else 1)


class WhereItIs:
    """Walks the young at every turn only while there is garbage; for a process whose requests leave none.

    Under load most of the young are requests under way: walking them cost an edge a tenth of its best, in pauses of 5
    to 40 ms. After a round without garbage all but the last turn of a round pass them on to the old, which takes no
    time whatever their number. The last turn walks what a tenth of a second left; if it finds garbage, as when calls
    fail, every turn walks again, and what was passed on in that round is taken to have held as much. When that may be
    MOST_LEFT objects, all are walked, which may take 0.2 s.
    """

    def __init__(self, collector: Collector = gc) -> None:
        self._collector = collector
        self._every = EveryTurn(collector)
        self._clean = 0  # turns in a row that found nothing
        self._passed_on = 0
        self._left = 0

    def turn(self) -> int:
        """Once every INTERVAL_S; returns how much garbage there was."""
        if self._clean >= ROUND and self._passed_on < ROUND - 1:
            self._collector.freeze()
            self._collector.unfreeze()
            self._passed_on += 1
            return 0
        found = self._every.turn()
        self._clean = 0 if found else self._clean + 1
        self._left += found * self._passed_on
        self._passed_on = 0
        if self._left >= MOST_LEFT:
            self._left = 0
            return found + self._collector.collect()
        return found


async def collect_by_the_clock(collecting: EveryTurn | WhereItIs) -> None:
    """Until cancelled."""
    while True:
        await asyncio.sleep(INTERVAL_S)
        collecting.turn()
