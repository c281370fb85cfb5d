"""The last answers with everything they were made from, to give them again and to explain them."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import NamedTuple

from meshkit.errors import NotFound
from reco_svc.domain.model import Preferences, Recommendation, RecommendQuery, SessionStep


class LoggedAnswer(NamedTuple):
    """An answer and what was known of the visitor when it was given (the moment is `answer.generated_at`)."""

    query: RecommendQuery
    session: Sequence[SessionStep]
    history: Sequence[str]
    preferences: Preferences | None
    answer: Recommendation


class RecommendationLog:
    """Keeps the newest `capacity` answers; 0 keeps none. Used by the thread that answers."""

    def __init__(self, capacity: int = 10_000) -> None:
        self._capacity = capacity
        self._entries: OrderedDict[str, LoggedAnswer] = OrderedDict()

    def __len__(self) -> int:
        return len(self._entries)

    def add(self, entry: LoggedAnswer) -> None:
        """Keeps an answer; the oldest goes when there is no room."""
        if self._capacity <= 0:
            return
        if len(self._entries) >= self._capacity:
            self._entries.popitem(last=False)
        self._entries[entry.answer.recommendation_id] = entry

    def get(self, recommendation_id: str) -> LoggedAnswer:
        """An answer by its id; NotFound (RECOMMENDATION_NOT_FOUND) once it left the log."""
        entry = self._entries.get(recommendation_id)
        if entry is None:
            raise NotFound("recommendation", recommendation_id)
        return entry

    def newest(self, limit: int) -> list[LoggedAnswer]:
        """Newest first."""
        return [self._entries[key] for key, _ in zip(reversed(self._entries), range(limit), strict=False)]

    def erase(self, visitor_id: str) -> int:
        """Forgets the answers given to a visitor; returns how many there were."""
        mine = [key for key, entry in self._entries.items() if entry.query.visitor_id == visitor_id]
        for key in mine:
            del self._entries[key]
        return len(mine)
