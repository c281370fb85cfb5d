"""SessionStore on Redis: one text for each visitor, a line for each step, changed by scripts so that nothing is lost.

A line is JSON: [time of the append in µs, product, type, time of the step in µs or null]. A visitor who was erased
leaves the line [time in µs], which refuses steps from before it that another process still holds.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias, cast

import orjson

from meshkit.redis.link import RedisLink
from reco_svc.domain.limits import MAX_STEPS
from reco_svc.domain.model import EventType, SessionStep
from reco_svc.domain.ports import ReadSessions

_KEY = "recomesh:session:"
_RESTORED = "recomesh:sessions:restored"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_US = timedelta(microseconds=1)

Batch: TypeAlias = tuple[str, Sequence[SessionStep], datetime]  # whose, what, when it was appended


@dataclass(frozen=True, slots=True)
class SessionText:
    """One visitor's text: the steps, when each append was made and when the last, when the visitor was erased."""

    steps: tuple[SessionStep, ...]
    appended: frozenset[datetime]
    last: datetime
    erased: datetime | None


_NOTHING = SessionText((), frozenset(), _EPOCH, None)

# KEYS: sessions. ARGV: silence in µs, most lines, "1" if the lines may be there already; then for each session the time
# of the append and its lines.
_APPEND = """
local silence, most = tonumber(ARGV[1]), tonumber(ARGV[2])
for i, key in ipairs(KEYS) do
  local now, lines = tonumber(ARGV[2 + 2 * i]), ARGV[3 + 2 * i]
  local held = redis.call('GET', key) or ''
  local last = tonumber(string.match(held, '%[(%d+)[^\\n]*\\n$'))
  if not last or now - last > silence then held = '' end
  local erased = tonumber(string.match(held, '^%[(%d+)%]\\n'))
  local known = ARGV[3] == '1' and string.find(held, lines, 1, true)
  if not known and not (erased and now <= erased) then
    held = held .. lines
    local _, count = string.gsub(held, '\\n', '')
    local start = 1
    for _ = 1, count - most do start = string.find(held, '\\n', start, true) + 1 end
    redis.call('SET', key, string.sub(held, start), 'PX', math.ceil(silence / 1000) + 1000)
  end
end
"""
# KEYS: session. ARGV: the line of an erasure, how long it stays in ms.
_ERASE = """
local held = redis.call('GET', KEYS[1]) or ''
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return held
"""


class RedisSessionStore:
    """See `domain.ports.SessionStore`. Unavailable whenever Redis is; see `SpillingSessionStore` for a shop."""

    def __init__(
        self,
        link: RedisLink,
        *,
        silence: timedelta = timedelta(minutes=30),
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._link = link
        self._silence = silence
        self._silence_us = silence // _US
        self._keep_ms = self._silence_us // 1000 + 1000
        self._clock = clock

    def append(self, steps: Mapping[str, Sequence[SessionStep]], now: datetime) -> None:
        """One script: no step of another process is lost."""
        self.append_batches([(visitor_id, mine, now) for visitor_id, mine in steps.items()])

    def append_batches(self, batches: Iterable[Batch], *, again: bool = False) -> None:
        """Steps that came at different times. `again`: a batch that is there already is left out."""
        wanted = [batch for batch in batches if batch[1]]
        if not wanted:
            return
        keys = [_KEY + visitor_id for visitor_id, _, _ in wanted]
        arguments: list[int | bytes] = [self._silence_us, MAX_STEPS, int(again)]
        for _, steps, now in wanted:
            arguments += [_us(now), _lines(steps, now)]
        self._link.call(lambda redis: redis.register_script(_APPEND)(keys=keys, args=arguments))

    async def read(self, visitor_ids: Collection[str], now: datetime) -> ReadSessions:
        """One MGET."""
        found = await self.read_texts(visitor_ids, now)
        return ReadSessions({visitor_id: text.steps for visitor_id, text in found.items() if text.steps})

    async def read_texts(self, visitor_ids: Collection[str], now: datetime) -> Mapping[str, SessionText]:
        """What Redis has of each visitor; without steps when the visitor was silent for too long."""
        ids = list(visitor_ids)
        texts = cast(list[bytes | None], await self._link.acall(lambda redis: redis.mget([_KEY + i for i in ids])))
        found = {visitor_id: _parsed(text) for visitor_id, text in zip(ids, texts, strict=True)}
        return {i: text if now - text.last <= self._silence else replace(text, steps=()) for i, text in found.items()}

    def erase(self, visitor_id: str) -> int:
        """Leaves a line that says when."""
        line = orjson.dumps([_us(self._clock())]) + b"\n"
        held = self._link.call(
            lambda redis: redis.register_script(_ERASE)(keys=[_KEY + visitor_id], args=(line, self._keep_ms))
        )
        return len(_parsed(cast(bytes, held)).steps)

    def is_blank(self) -> bool:
        """Also after Redis was started anew with nothing in it."""
        return not self._link.call(lambda redis: redis.exists(_RESTORED))

    def restore(self, sessions: Mapping[str, Sequence[SessionStep]], now: datetime) -> None:
        """Each session is as old as its last step. Two replicas that do it at the same time do it once."""

        def work(redis: Any) -> None:
            with redis.pipeline(transaction=False) as pipeline:
                for visitor_id, steps in sessions.items():
                    last = steps[-1].at or now
                    text = _lines(steps[-MAX_STEPS:], last)
                    pipeline.set(_KEY + visitor_id, text, nx=True, px=self._keep_ms)
                pipeline.set(_RESTORED, 1)
                pipeline.execute()

        self._link.call(work)


def _lines(steps: Sequence[SessionStep], now: datetime) -> bytes:
    appended = _us(now)
    rows = ([appended, s.product_id, int(s.type), None if s.at is None else _us(s.at)] for s in steps[-MAX_STEPS:])
    return b"".join(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE) for row in rows)


def _parsed(text: bytes | None) -> SessionText:
    """Nothing of a text that is not ours."""
    if not text:
        return _NOTHING
    try:
        rows = orjson.loads(b"[" + text.rstrip(b"\n").replace(b"\n", b",") + b"]")
        steps = tuple(_step(row) for row in rows if len(row) > 1)
        appended = [_EPOCH + row[0] * _US for row in rows]
        return SessionText(steps, frozenset(appended), appended[-1], appended[0] if len(rows[0]) == 1 else None)
    except (ValueError, TypeError, OverflowError, LookupError):
        return _NOTHING


def _step(row: Any) -> SessionStep:
    _, product_id, type_, at_us = row
    if not isinstance(product_id, str):
        raise TypeError
    return SessionStep(product_id, EventType(type_), None if at_us is None else _EPOCH + at_us * _US)


def _us(moment: datetime) -> int:
    return (moment - _EPOCH) // _US
