"""How full a process may be: requests that come at random wait for one another (an M/G/c queue, by discrete events)."""

from __future__ import annotations

import heapq
import random
from collections.abc import Sequence
from functools import cache

REQUESTS, WARM_UP = 40_000, 2_000
ACCURACY = 0.005


def response_p99_ms(utilisation: float, service_ms: Sequence[float], servers: int, *, seed: int = 1) -> float:
    """The 99th percentile of waiting and service together.

    Requests arrive as a Poisson process, each takes a time drawn from `service_ms` (a sample of measured times), the
    first free of `servers` processes takes the one that waits longest. `utilisation` is the share of the time, below 1,
    that each is busy. The same arguments give the same answer.
    """
    rng = random.Random(seed)
    mean = sum(service_ms) / len(service_ms)
    rate = utilisation * servers / mean
    free_at = [0.0] * servers
    now, taken = 0.0, []
    for number in range(REQUESTS + WARM_UP):
        now += rng.expovariate(rate)
        begun = max(now, heapq.heappop(free_at))
        ended = begun + service_ms[rng.randrange(len(service_ms))]
        heapq.heappush(free_at, ended)
        if number >= WARM_UP:
            taken.append(ended - now)
    taken.sort()
    return taken[int(0.99 * len(taken))]


@cache
def safe_utilisation(service_ms: tuple[float, ...], servers: int, p99_ms: float) -> float:
    """The greatest utilisation at which the p99 stays within `p99_ms`, within ACCURACY; 0 if it never does."""
    low, high = 0.0, 0.99
    while high - low > ACCURACY:
        middle = (low + high) / 2
        if response_p99_ms(middle, service_ms, servers) <= p99_ms:
            low = middle
        else:
            high = middle
    return low
