"""The public keys of a token issuer (RFC 7517), fetched over HTTP and kept."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import httpx
import jwt
import structlog

from meshkit.errors import Unavailable

log = structlog.get_logger()
REFETCH_S = 30.0  # an unknown kid makes us ask again at most this often
MAX_AGE_S = 3600.0  # known keys are asked for again after this, so that a withdrawn one goes
MAX_BYTES = 256 * 1024
MAX_KEYS = 100
Fetch = Callable[[], Awaitable[bytes]]


def http_fetch(url: str, *, timeout_s: float = 2.0) -> Fetch:
    """Fetches the document; follows no redirect, reads at most 256 KiB. Raises httpx.HTTPError or ValueError."""

    async def fetch() -> bytes:
        async with (
            httpx.AsyncClient(timeout=timeout_s, follow_redirects=False) as client,
            client.stream("GET", url) as answer,
        ):
            answer.raise_for_status()
            body = b""
            async for chunk in answer.aiter_bytes():
                body += chunk
                if len(body) > MAX_BYTES:
                    raise ValueError("the key document is too large")
            return body

    return fetch


class Jwks:
    """Keys by kid, of one algorithm. The last good keys hold when the issuer is away."""

    def __init__(self, fetch: Fetch, algorithm: str, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._fetch = fetch
        self._algorithm = algorithm
        self._clock = clock
        self._keys: Mapping[str, Any] = {}
        self._tried_at = float("-inf")
        self._fetched_at = float("-inf")
        self._one_at_a_time = asyncio.Lock()

    async def key(self, kid: str) -> Any | None:
        """The public key; None if the issuer has none of that id. Unavailable if its keys were never to be had."""
        if not self._is_fresh(kid):
            async with self._one_at_a_time:
                if not self._is_fresh(kid):
                    await self._refresh()
        if self._fetched_at == float("-inf"):
            raise Unavailable("token issuer", "tokens can not be checked now: the issuer's keys are not to be had")
        return self._keys.get(kid)

    def _is_fresh(self, kid: str) -> bool:
        now = self._clock()
        if now - self._tried_at < REFETCH_S:
            return True
        return kid in self._keys and now - self._fetched_at < MAX_AGE_S

    async def _refresh(self) -> None:
        self._tried_at = self._clock()
        try:
            keys = self._read(await self._fetch())
        except (httpx.HTTPError, ValueError, jwt.PyJWTError) as error:
            log.warning("jwks_not_fetched", trouble=f"{type(error).__name__}: {error}")
            return
        self._keys, self._fetched_at = keys, self._clock()

    def _read(self, document: bytes) -> Mapping[str, Any]:
        found = {}
        for key in jwt.PyJWKSet.from_json(document.decode()).keys[:MAX_KEYS]:
            if key.key_id and key.public_key_use in (None, "sig") and key.algorithm_name == self._algorithm:
                found[key.key_id] = key.key
        return found
