"""Where item-item statistics are made of the log: in this process, or by an engine that holds more than a machine does.

An engine reads the log once, gives the newest events back, on which parameters are chosen and quality is measured, and
then teaches everything with the parameters that were chosen. All engines follow the definitions in this package and its
constants, so that the same log gives the same neighbours whichever engine counted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Protocol

from reco_svc.domain.learning.events import LearningEvents, learning_events
from reco_svc.domain.learning.learned import Learned, Lesson, learn
from reco_svc.domain.model import EventType
from reco_svc.domain.ports import InteractionColumns, Mask


@dataclass(frozen=True, slots=True)
class LogFacts:
    """What was read: events on known products with a weight, their visitors, Unix times of the first and last (0 for
    none), and which of the rows anybody wanted, (n,)."""

    events: int
    visitors: int
    oldest_s: int
    newest_s: int
    had: Mask


class ReadLog(Protocol):
    """A log as an engine has read it. `newest` are events in memory, all of them or as many as fit."""

    facts: LogFacts
    newest: LearningEvents

    def learn(self, n: int, lesson: Lesson) -> Learned:
        """Everything that events teach over n rows, of the whole log, as of its newest event."""
        ...


class LearningEngine(Protocol):
    """Local, or Spark. FailedPrecondition says before anything is read what is not installed (ENGINE_MISSING) or why it
    did not start (ENGINE_FAILED)."""

    name: str

    def read(
        self,
        chunks: Iterable[InteractionColumns],
        row_of: Callable[[str], int],
        weights: Mapping[EventType, float],
        n: int,
    ) -> AbstractContextManager[ReadLog]:
        """Reads the log, oldest first; `row_of` is -1 for an unknown product. What it holds is let go at the end of the
        context."""
        ...


class LocalEngine:
    """NumPy and SciPy in this process: about 200 bytes an event while it trains."""

    name = "local"

    def read(
        self,
        chunks: Iterable[InteractionColumns],
        row_of: Callable[[str], int],
        weights: Mapping[EventType, float],
        n: int,
    ) -> AbstractContextManager[ReadLog]:
        """See LearningEngine."""
        return nullcontext(_InMemory(learning_events(chunks, row_of, weights), n))


class _InMemory:
    def __init__(self, events: LearningEvents, n: int) -> None:
        self.newest = events
        begin, end = (int(events.at_s[0]), int(events.at_s[-1])) if len(events) else (0, 0)
        self.facts = LogFacts(len(events), len(set(events.visitor.tolist())), begin, end, events.had(n))

    def learn(self, n: int, lesson: Lesson) -> Learned:
        """See ReadLog."""
        return learn(self.newest, n, lesson)
