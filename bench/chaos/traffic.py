"""What the shoppers of a fault run ask: lists that many share, answers for one visitor, events."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from itertools import count

import orjson

from bench.chaos.client import Asked
from bench.open_loop import Request

RELATIONS = ("similar", "bought-together", "viewed-together")


def shoppers(product_ids: Sequence[str], *, seed: int = 5, run: str = "chaos") -> Callable[[], Asked]:
    """Six of ten requests are shared lists, three are personal, one is an event; the order is the same every time."""
    rng = random.Random(seed)
    numbers = count()

    def ask() -> Asked:
        product_id = rng.choice(product_ids)
        drawn = rng.random()
        if drawn < 0.6:
            limit = rng.randrange(5, 20)  # many different questions, so that not all come from memory
            return Asked("read", Request.get(f"/v1/products/{product_id}/{rng.choice(RELATIONS)}?limit={limit}"))
        visitor = f"v{rng.randrange(200)}"
        if drawn < 0.9:
            body = {"visitor_id": visitor, "context": {"product_id": product_id}, "limit": 10}
            return Asked("personal", Request.post("/v1/recommendations", orjson.dumps(body)))
        event_id = f"{run}-{next(numbers)}"
        at = datetime.now(UTC).isoformat()
        event = {"event_id": event_id, "type": "view_item", "visitor_id": visitor, "product_id": product_id, "at": at}
        return Asked("event", Request.post("/v1/events", orjson.dumps({"events": [event]})), event_id)

    return ask
