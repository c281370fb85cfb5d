"""Shoppers over REST, for Locust: `make locust LOCUST="--host http://127.0.0.1:8080 -u 50 -r 10 -t 30s --headless"`.

A shopper opens a popular product, looks at what is similar, tells of the view, and asks what else there is for the
session. The products are those the shop answers as popular, so it runs against any shop, the demo too. RECOMESH_KEY
holds an API key if the shop wants one. Locust waits for each answer before it asks again (closed loop): for latencies
under a constant rate use `make bench`.
"""

from __future__ import annotations

import os
import random
import uuid
from datetime import UTC, datetime
from typing import Any

from locust import FastHttpUser, between, events, task

KEY = os.environ.get("RECOMESH_KEY", "")
HEADERS = {"X-API-Key": KEY} if KEY else {}
_products: list[str] = []


@events.test_start.add_listener
def learn_products(environment: Any, **_: Any) -> None:
    """Which products the shop has."""
    import requests

    answer = requests.get(f"{environment.host}/v1/popular?limit=100&fields=product_id", headers=HEADERS, timeout=10)
    answer.raise_for_status()
    _products[:] = [item["product_id"] for item in answer.json()["items"]]


class Shopper(FastHttpUser):
    """One visitor."""

    wait_time = between(0.5, 2.0)
    default_headers = HEADERS

    def on_start(self) -> None:
        """A new visitor with an empty session."""
        self.visitor_id = f"locust-{uuid.uuid4()}"
        self.product_id = random.choice(_products)

    @task(6)
    def look(self) -> None:
        """A product page: the product, similar ones, and the view told."""
        self.product_id = random.choice(_products)
        self.client.get(f"/v1/products/{self.product_id}", name="/v1/products/{id}")
        self.client.get(f"/v1/products/{self.product_id}/similar?limit=10", name="/v1/products/{id}/similar")
        self._tell("view_item")

    @task(2)
    def ask(self) -> None:
        """What fits this session."""
        body = {"visitor_id": self.visitor_id, "context": {"product_id": self.product_id}, "limit": 10}
        self.client.post("/v1/recommendations", json=body)

    @task(1)
    def put_into_basket(self) -> None:
        """A basket event."""
        self._tell("add_to_cart")

    @task(1)
    def enter(self) -> None:
        """The start page."""
        self.client.get("/v1/popular?limit=10", name="/v1/popular")

    def _tell(self, kind: str) -> None:
        event = {
            "event_id": str(uuid.uuid4()),
            "type": kind,
            "visitor_id": self.visitor_id,
            "product_id": self.product_id,
            "at": datetime.now(UTC).isoformat(),
        }
        self.client.post("/v1/events", json={"events": [event]})
