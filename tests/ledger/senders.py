"""Clients that send events over REST and keep the books of what was acknowledged."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Sequence

import httpx

BATCH = 20
PRODUCTS = 500
VISITORS = 2_000
TYPES = ("view_item", "view_item", "view_item", "select_item", "add_to_cart", "purchase")
TAKEN = {"accepted", "duplicate", "late", "unknown_product"}
GIVES_UP = 0.02  # share of failed sends that are not repeated: their events may or may not be in the log
REPEATS = 0.05  # share of acknowledged sends that are sent again all the same


class Sender:
    """Sends `events` events spread over `within_s` seconds; what fails is sent again with the same ids."""

    def __init__(self, number: int, seed: int, base_url: str, events: int, within_s: float) -> None:
        self._number = number
        self._dice = random.Random(f"{seed}/{number}")
        self._base_url = base_url
        self._batches = events // BATCH
        self._pause_s = within_s / self._batches
        self.acknowledged: set[str] = set()
        self.sent: set[str] = set()
        self.answers: Counter[str] = Counter()
        self.slowest_s = 0.0
        self.done = threading.Event()
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self._run, name=f"sender-{number}", daemon=True)

    def _run(self) -> None:
        began = time.monotonic()
        with httpx.Client(base_url=self._base_url, timeout=10) as client:
            for batch in range(self._batches):
                if self.stop.wait(max(0.0, began + batch * self._pause_s - time.monotonic())):
                    return
                self._deliver(client, [self._event(batch * BATCH + n) for n in range(BATCH)])
        self.done.set()

    def _deliver(self, client: httpx.Client, events: Sequence[dict[str, object]]) -> None:
        self.sent |= {str(event["event_id"]) for event in events}
        while not self._send(client, events):
            if self._dice.random() < GIVES_UP or self.stop.wait(0.2):
                return
        if self._dice.random() < REPEATS:
            self._send(client, events)

    def _send(self, client: httpx.Client, events: Sequence[dict[str, object]]) -> bool:
        began = time.monotonic()
        try:
            answer = client.post("/v1/events", json={"events": list(events)})
        except httpx.HTTPError as error:
            self.answers[type(error).__name__] += 1
            return False
        finally:
            self.slowest_s = max(self.slowest_s, time.monotonic() - began)
        self.answers[str(answer.status_code)] += 1
        if answer.status_code != 202:
            return False
        self.acknowledged |= {r["event_id"] for r in answer.json()["verdicts"] if r["verdict"] in TAKEN}
        return True

    def _event(self, n: int) -> dict[str, object]:
        return {
            "event_id": f"s{self._number}-{n}",
            "type": self._dice.choice(TYPES),
            "visitor_id": f"v{self._dice.randrange(VISITORS)}",
            "product_id": f"p{self._dice.randrange(PRODUCTS)}",
        }
