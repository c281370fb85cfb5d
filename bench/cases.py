"""What is measured: each case is an endless stream of requests and the target it stands against."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import orjson

from bench.open_loop import Request
from bench.shop import product_id, zipf

VISITORS = 10_000


@dataclass(frozen=True, slots=True)
class Peer:
    """What another system reaches on such a machine (docs/performance.md)."""

    name: str
    rps: float


@dataclass(frozen=True, slots=True)
class Case:
    """`target_rps` at `target_p99_ms` as in docs/performance; each request carries `per_request` things. `warm`: every
    product was asked about before."""

    name: str
    what: str
    requests: Callable[[int], Iterator[Request]]
    target_rps: float
    target_p99_ms: float
    per_request: int = 1
    warm: bool = False
    peer: Peer | None = None


def hot(catalog_size: int) -> Iterator[Request]:
    """Cached item-to-item lists, Zipf over the catalog, repeated."""
    return _item_to_item(zipf(catalog_size, 50_000))


def similar(catalog_size: int) -> Iterator[Request]:
    """Item-to-item lists of every product as often as of any other."""
    rng = random.Random(6)
    return _item_to_item([rng.randrange(catalog_size) for _ in range(50_000)])


def popular(catalog_size: int) -> Iterator[Request]:
    """The leaderboard."""
    return itertools.repeat(Request.get("/v1/popular?limit=10"))


def cold(catalog_size: int) -> Iterator[Request]:
    """A different context each time: a session of three products nobody had before."""
    return _contexts(catalog_size, "")


def cold_ids(catalog_size: int) -> Iterator[Request]:
    """The session call, ids only."""
    return _contexts(catalog_size, "?fields=product_id")


def personal(catalog_size: int) -> Iterator[Request]:
    """The list of a visitor whom the log knows."""
    rng = random.Random(4)
    while True:
        body = orjson.dumps({"strategy": "personal", "visitor_id": f"v{rng.randrange(VISITORS)}", "limit": 10})
        yield Request.post("/v1/recommendations", body)


def product(catalog_size: int) -> Iterator[Request]:
    """One product by id, Zipf."""
    numbers = zipf(catalog_size, 50_000, seed=5)
    made = {n: Request.get(f"/v1/products/{product_id(n)}") for n in set(numbers)}
    return itertools.cycle([made[n] for n in numbers])


def events(catalog_size: int) -> Iterator[Request]:
    """New events, ten to a request."""
    return _events(catalog_size, 10)


def event_batches(catalog_size: int) -> Iterator[Request]:
    """New events, five hundred to a request."""
    return _events(catalog_size, 500)


def every_product(catalog_size: int) -> Iterator[Request]:
    """The item-to-item list of each product, once."""
    return (Request.get(f"/v1/products/{product_id(n)}/similar?limit=10") for n in range(catalog_size))


def _item_to_item(numbers: list[int]) -> Iterator[Request]:
    made = {n: Request.get(f"/v1/products/{product_id(n)}/similar?limit=10") for n in set(numbers)}
    return itertools.cycle([made[n] for n in numbers])


def _contexts(catalog_size: int, query: str) -> Iterator[Request]:
    rng = random.Random(2)
    strategy = "session" if query else "auto"
    while True:
        steps = [{"product_id": product_id(rng.randrange(catalog_size)), "event": "view_item"} for _ in range(3)]
        body = orjson.dumps({"strategy": strategy, "session": steps, "limit": 10})
        yield Request.post(f"/v1/recommendations{query}", body)


def _events(catalog_size: int, size: int) -> Iterator[Request]:
    rng = random.Random(3)
    run = random.SystemRandom().randrange(2**40)
    for number in itertools.count():
        at = datetime.now(UTC).isoformat()
        batch = [
            {
                "event_id": f"b{run}-{number}-{i}",
                "type": "view_item",
                "visitor_id": f"w{rng.randrange(50_000)}",
                "product_id": product_id(rng.randrange(catalog_size)),
                "at": at,
            }
            for i in range(size)
        ]
        yield Request.post("/v1/events", orjson.dumps({"events": batch}))


CASES = (
    Case(
        "hot",
        "similar, Zipf over the catalog, cache warm",
        hot,
        10_000,
        25,
        warm=True,
        peer=Peer("Gorse, item to item", 2_560),
    ),
    Case("cold", "auto with cards, every session different", cold, 3_000, 50),
    Case(
        "cold_ids",
        "session call, ids only, every session different",
        cold_ids,
        7_000,
        50,
        peer=Peer("Serenade, session call", 6_970),
    ),
    Case("popular", "popular with cards", popular, 6_260, 50, peer=Peer("Gorse, popular", 3_130)),
    Case("similar", "similar, all products alike", similar, 5_120, 50, peer=Peer("Gorse, item to item", 2_560)),
    Case("personal", "personal list of a known visitor", personal, 2_138, 50, peer=Peer("Gorse, personal list", 1_069)),
    Case("product", "one product by id", product, 2_000, 10, peer=Peer("Gorse, one product", 5_960)),
    Case("events", "events, durable, 10 to a request", events, 5_000, 100, per_request=10),
    Case(
        "event_batches",
        "events, durable, 500 to a request",
        event_batches,
        5_000,
        1_000,
        per_request=500,
        peer=Peer("Gorse, batches of 2,000", 12_700),
    ),
)
