"""Access tokens of a process for its calls to other processes: OAuth 2.0 client credentials (RFC 6749, 4.4)."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import httpx
import structlog

from meshkit.errors import Unavailable

log = structlog.get_logger()
REFRESH_AT = 0.8  # of the token's life
RETRY_S = 1.0
MAX_LIFE_S = 86_400.0


class TokenSource:
    """The token in force; a new one is fetched when 80 % of its life is over. Thread-safe; blocking when it must fetch.

    While the issuer is away the old token serves until it ends.
    """

    def __init__(
        self,
        url: str,
        client_id: str,
        client_secret: str,
        *,
        scope: str = "",
        timeout_s: float = 2.0,
        transport: httpx.BaseTransport | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._url = url
        self._auth = (client_id, client_secret)
        self._form = {"grant_type": "client_credentials", **({"scope": scope} if scope else {})}
        self._client = httpx.Client(timeout=timeout_s, follow_redirects=False, transport=transport)
        self._clock = clock
        self._lock = threading.Lock()
        self._token = ""
        self._refresh_at = self._ends_at = float("-inf")

    def token(self) -> str:
        """The token. Unavailable("token issuer") if there is none that is still good."""
        with self._lock:
            now = self._clock()
            if now >= self._refresh_at:
                self._fetch(now)
            if self._clock() >= self._ends_at:
                raise Unavailable("token issuer", "no access token: the token issuer is away")
            return self._token

    def close(self) -> None:
        """Ends the connection to the issuer."""
        self._client.close()

    def _fetch(self, now: float) -> None:
        try:
            answer = self._client.post(self._url, data=self._form, auth=self._auth)
            answer.raise_for_status()
            body = answer.json()
            token, life_s = str(body["access_token"]), min(float(body.get("expires_in", 300)), MAX_LIFE_S)
        except (httpx.HTTPError, ValueError, KeyError, TypeError) as error:
            log.warning("token_not_fetched", trouble=type(error).__name__)
            self._refresh_at = now + RETRY_S
            return
        self._token, self._refresh_at, self._ends_at = token, now + REFRESH_AT * life_s, now + life_s
