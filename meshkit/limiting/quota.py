"""What a limit allows and what it said."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import NamedTuple


@dataclass(frozen=True, slots=True)
class Quota:
    """`limit` units at once, and again as they come back: `limit` units in every `window_s` seconds.

    `interval_s` is how long one unit takes to come back, `policy` the RateLimit-Policy field of
    draft-ietf-httpapi-ratelimit-headers-10.
    """

    name: str
    limit: float
    window_s: float
    interval_s: float = field(init=False)
    policy: bytes = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "interval_s", self.window_s / self.limit)
        policy = f'"{self.name}";q={int(self.limit)};w={math.ceil(self.window_s)}'
        object.__setattr__(self, "policy", policy.encode())

    @classmethod
    def per_minute(cls, name: str, units: float, *, window_s: float = 10.0) -> Quota:
        """`units` a minute in the long run, at once no more than come back in `window_s`, one at least."""
        return cls(name, max(1.0, units * window_s / 60.0), window_s if units * window_s >= 60.0 else 60.0 / units)


class Decision(NamedTuple):
    """`remaining` units may be used at once, all are back in `full_in_s`. A refused call may come again later."""

    quota: Quota
    allowed: bool
    remaining: int
    full_in_s: float
    retry_after_s: float = 0.0

    @property
    def state(self) -> bytes:
        """The RateLimit field of the same draft."""
        return b'"%s";r=%d;t=%d' % (self.quota.name.encode(), self.remaining, math.ceil(self.full_in_s))
