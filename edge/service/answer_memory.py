"""Answers of the recommender that many shoppers share, and the rule for when they are no longer true."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable

from edge.domain.change_history import ChangeHistory
from edge.domain.ports import Cache, SharedCache
from edge.domain.recommendation import Question, Recommendation

SETTLING_S = 3.0
SETTLING_TTL_S = 0.3


class AnswerMemory:
    """Shared answers by question.

    A change that may alter any answer (a product appears or comes back, a new model, new rules) outdates them all and
    starts a new `epoch`. The recommender learns of the same change at its own pace, so for `SETTLING_S` afterwards
    answers live only `SETTLING_TTL_S`.
    """

    def __init__(
        self,
        held: Cache[Question, Recommendation],
        shared: SharedCache[Question, Recommendation],
        history: ChangeHistory,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._held = held
        self._shared = shared
        self._history = history
        self._outdated_at = 0
        self._clock = clock
        self._settled_at = clock()
        self._versions: tuple[str, str] | None = None
        self.epoch = 0

    @property
    def settling(self) -> bool:
        """True while the recommender may not know the latest change yet."""
        return self._clock() < self._settled_at

    async def answer(self, question: Question, ask: Callable[[], Awaitable[Recommendation]]) -> Recommendation:
        """The fresh answer to a shared question, asked once however many wait for it."""

        async def asked() -> Recommendation:
            if (shared := await self._shared_answer(question)) is not None:
                return shared
            as_of, epoch, settling = self._history.position, self.epoch, self.settling
            recommendation = await ask()
            self.saw(recommendation)
            if not settling and epoch == self.epoch and not recommendation.degraded:
                self._shared.put({question: recommendation}, as_of)
            return recommendation

        return await self._held.get_or_load(question, asked, ttl_s=SETTLING_TTL_S if self.settling else None)

    async def _shared_answer(self, question: Question) -> Recommendation | None:
        """What another edge was answered since the last change that may alter answers, by the same model and rules."""
        if self.settling:
            return None
        entry = (await self._shared.get([question])).get(question)
        if entry is None or self.settling or entry.as_of < self._outdated_at:
            return None
        versions = (entry.value.model_version, entry.value.rules_version)
        return entry.value if versions == self._versions else None

    def last_good(self, question: Question) -> tuple[Recommendation, float] | None:
        """The last answer to a shared question and its age in seconds."""
        return self._held.last_good(question)

    def saw(self, recommendation: Recommendation) -> None:
        """Notices a new model or new rules: answers made before them are outdated."""
        versions = (recommendation.model_version, recommendation.rules_version)
        if self._versions != versions:
            first = self._versions is None
            self._versions = versions
            if not first:
                self._held.outdate()
                self.epoch += 1

    def outdate(self) -> None:
        """The catalog changed so that any answer may be different now."""
        self._held.outdate()
        self.epoch += 1
        self._outdated_at = self._history.position
        self._settled_at = self._clock() + SETTLING_S
