"""`Idempotency-Key`: a write that is sent again gets the answer it got before."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from meshkit.errors import FailedPrecondition

ENTRY_BYTES = 600  # about what an entry takes beside its answer


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """A 2xx answer as it was sent."""

    status: int
    body: bytes


@dataclass(slots=True)
class _Kept:
    fingerprint: bytes
    subject: str
    expires: float
    answer: KeptAnswer | None = None  # None while the first request is under way


class ReplayMemory:
    """Answers by key, in the memory of this process, for `keep_s` seconds; the oldest leave beyond `max_bytes`.

    Failed requests are not kept: sending them again tries again. Behind several edges a repeat may reach another one,
    which has not seen the key; events stay idempotent by their ids, and the other writes by what they do.
    """

    def __init__(
        self,
        *,
        max_bytes: int = 32 * 1024 * 1024,
        keep_s: float = 600.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._max_bytes = max_bytes
        self._keep_s = keep_s
        self._clock = clock
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self._bytes = 0

    async def once(
        self, key: str, fingerprint: bytes, work: Callable[[], Awaitable[KeptAnswer]], *, subject: str = ""
    ) -> KeptAnswer:
        """The answer kept for the key, else that of `work`. An empty key always works.

        `fingerprint` tells one request from another: FailedPrecondition (IDEMPOTENCY_KEY_REUSED) if the key came with
        another before, (IDEMPOTENCY_KEY_IN_USE) while the first is under way. `subject` is what `forget` forgets.
        """
        if not key:
            return await work()
        kept = self._kept.get(key)
        if kept is not None and kept.expires > self._clock():
            return _repeat(kept, fingerprint)
        self._drop(key)
        begun = self._kept[key] = _Kept(fingerprint, subject, self._clock() + self._keep_s)
        self._bytes += ENTRY_BYTES
        try:
            begun.answer = await work()
        finally:
            if begun.answer is None and self._kept.get(key) is begun:
                self._drop(key)
        if self._kept.get(key) is begun:
            self._bytes += len(begun.answer.body)
        while self._bytes > self._max_bytes and (oldest := self._oldest()):
            self._drop(oldest)
        return begun.answer

    def forget(self, subject: str) -> None:
        """Forgets every answer about a subject."""
        for key in [key for key, kept in self._kept.items() if kept.subject == subject and kept.answer is not None]:
            self._drop(key)

    def _oldest(self) -> str | None:
        """The oldest key that is not in use."""
        return next((key for key, kept in self._kept.items() if kept.answer is not None), None)

    def _drop(self, key: str) -> None:
        kept = self._kept.pop(key, None)
        if kept is not None:
            self._bytes -= ENTRY_BYTES + (len(kept.answer.body) if kept.answer else 0)


def _repeat(kept: _Kept, fingerprint: bytes) -> KeptAnswer:
    if kept.fingerprint != fingerprint:
        raise FailedPrecondition(
            "this Idempotency-Key came with another request before; use a new key per request",
            reason="IDEMPOTENCY_KEY_REUSED",
        )
    if kept.answer is None:
        raise FailedPrecondition(
            "the first request with this Idempotency-Key is still under way", reason="IDEMPOTENCY_KEY_IN_USE"
        )
    return kept.answer
