"""Ready bytes of shared GET answers, served before the web framework looks at the request.

FastAPI costs about 0.1 ms a request; most requests of a shop ask what was asked a moment ago. An entry is used only
while nothing that is in it changed: the epoch of the answers and every card are the ones it was made with. It goes
only to callers that hold the scope of its route.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from dataclasses import dataclass
from typing import Any

from edge.domain.card import Card
from edge.transport.render import JSON, PUBLIC, etag_matches, etag_of
from meshkit.security.row import Row
from meshkit.web.guard import CALLER, ROW, may

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Key = tuple[bytes, bytes]

MAX_BYTES = 64 * 1024 * 1024
TTL_S = 30.0


@dataclass(frozen=True, slots=True)
class _Entry:
    body: bytes
    etag: str
    headers: list[tuple[bytes, bytes]]
    cards: tuple[Card, ...]
    epoch: int | None
    expires: float
    route: object
    row: Row | None


class HotAnswers:
    """Answers by path and query string, at most `max_bytes` of them; the least recently used leave.

    `current_card` gives the card held now, `epoch` counts the changes that may alter any answer.
    """

    def __init__(
        self,
        current_card: Callable[[str], Card | None],
        epoch: Callable[[], int],
        *,
        max_bytes: int = MAX_BYTES,
        clock: Callable[[], float] = time.monotonic,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        self._current_card = current_card
        self._epoch = epoch
        self._max_bytes = max_bytes
        self._clock = clock
        self._wall_clock = wall_clock
        self._entries: OrderedDict[Key, _Entry] = OrderedDict()
        self._bytes = 0

    def keep(self, scope: Scope, body: bytes, cards: Sequence[Card], *, epoch: int | None) -> None:
        """Keeps the 200 answer to the GET request of `scope`; `epoch` None: it depends on its cards alone."""
        left_s = min((card.expires_s for card in cards), default=float("inf")) - self._wall_clock()
        etag = etag_of(body)
        headers = [
            (b"etag", etag.encode()),
            (b"cache-control", PUBLIC.encode()),
            (b"content-type", JSON.encode()),
            (b"content-length", str(len(body)).encode()),
        ]
        expires = self._clock() + min(TTL_S, left_s)
        key = _key(scope)
        self._forget(key)
        self._entries[key] = _Entry(body, etag, headers, tuple(cards), epoch, expires, scope.get("route"), scope[ROW])
        self._bytes += len(body)
        while self._bytes > self._max_bytes:
            self._forget(next(iter(self._entries)))

    def find(self, scope: Scope) -> _Entry | None:
        """The entry for a request, if it still holds."""
        key = _key(scope)
        entry = self._entries.get(key)
        if entry is None:
            return None
        if self._holds(entry):
            self._entries.move_to_end(key)
            return entry
        self._forget(key)
        return None

    def _holds(self, entry: _Entry) -> bool:
        if entry.expires <= self._clock() or (entry.epoch is not None and entry.epoch != self._epoch()):
            return False
        return all(self._current_card(card.product_id) is card for card in entry.cards)

    def _forget(self, key: Key) -> None:
        entry = self._entries.pop(key, None)
        if entry is not None:
            self._bytes -= len(entry.body)


class HotAnswersMiddleware:
    """Answers GET requests from `hot` where it can; everything else goes on to the application."""

    def __init__(self, app: Any, hot: HotAnswers) -> None:
        self._app = app
        self._hot = hot

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        entry = self._hot.find(scope) if scope["type"] == "http" and scope["method"] == "GET" else None
        if entry is None or not may(scope[CALLER], entry.row):
            await self._app(scope, receive, send)
            return
        scope["route"] = entry.route
        condition = next((v for k, v in scope["headers"] if k == b"if-none-match"), b"")
        if condition and etag_matches(condition.decode("latin-1"), entry.etag):
            await send({"type": "http.response.start", "status": 304, "headers": entry.headers[:2]})
            await send({"type": "http.response.body", "body": b""})
            return
        await send({"type": "http.response.start", "status": 200, "headers": list(entry.headers)})
        await send({"type": "http.response.body", "body": entry.body})


def _key(scope: Scope) -> Key:
    return scope.get("raw_path") or scope["path"].encode(), scope["query_string"]
