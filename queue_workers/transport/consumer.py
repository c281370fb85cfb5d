"""Takes messages of one topic from the queue and runs a job on them, in a thread.

What a job raises decides what becomes of its messages:

- nothing: done for good;
- `Unavailable`, `DeadlineExceeded`, `ResourceExhausted`: a part is away or busy, which is not the messages' fault. The
  same batch is tried again, with growing pauses and without counting a failure, until it works or the worker stops
  (then the loans go back to the queue when it is closed);
- anything else: one of the messages may be poison. The batch is halved, and halved again, until a message fails alone:
  that one is retried by the queue after a pause, and is a dead letter after its last attempt. All others are done.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import structlog
from prometheus_client import Counter, Histogram

from meshkit.broker.port import Broker, Delivery, Message
from meshkit.errors import DeadlineExceeded, RecomeshError, ResourceExhausted, Unavailable

log = structlog.get_logger()
Job = Callable[[Sequence[Message]], None]
AWAY = (Unavailable, DeadlineExceeded, ResourceExhausted)

MESSAGES = Counter("recomesh_worker_messages_total", "Messages by what became of them", ["topic", "outcome"])
SECONDS = Histogram(
    "recomesh_worker_batch_seconds",
    "Time of one batch, outages included",
    ["topic"],
    buckets=(0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 60, 300, 1800),
)

RENEW_S = 15.0
PAUSES_S = (0.2, 0.5, 1.0, 2.0, 5.0)
RETRY_S = 0.1  # pause after the first failure; four times as long after each further one
LONGEST_RETRY_S = 30.0


@dataclass(frozen=True, slots=True)
class Subscription:
    """A topic, the job for its messages, the most messages a batch may have, and how many batches run at once."""

    topic: str
    job: Job
    batch: int = 1
    consumers: int = 1


class Consumer:
    """Runs one subscription, one batch at a time, until stopped. What it says of itself is for status pages."""

    def __init__(
        self, broker: Broker, subscription: Subscription, *, wait_s: float = 0.5, renew_s: float = RENEW_S
    ) -> None:
        self._broker = broker
        self._subscription = subscription
        self._wait_s = wait_s
        self._renew_s = renew_s
        self._stop = threading.Event()
        self._ended = threading.Event()
        self._held: Sequence[Delivery] = ()
        self._lag_since: datetime | None = None
        name = f"consume-{subscription.topic}"
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._keeper = threading.Thread(target=self._keep_loans, name=f"{name}-loans", daemon=True)
        self.last_error = ""

    @property
    def topic(self) -> str:
        """Its topic."""
        return self._subscription.topic

    @property
    def started(self) -> bool:
        """True from `start` on."""
        return self._thread.ident is not None

    @property
    def alive(self) -> bool:
        """True from `start` until the thread has ended."""
        return self._thread.is_alive()

    @property
    def busy(self) -> bool:
        """True while it works on a batch."""
        return bool(self._held)

    @property
    def lag_s(self) -> float:
        """Age of the oldest message of the batch at hand, or of the last one if more may wait; else 0."""
        since = self._lag_since
        return 0.0 if since is None else max(0.0, (datetime.now(UTC) - since).total_seconds())

    def start(self) -> None:
        """Begins to consume."""
        self._thread.start()
        self._keeper.start()

    def stop(self) -> None:
        """Asks to end after the batch at hand; one that waits for a part that is away is given up."""
        self._stop.set()

    def join(self, timeout_s: float) -> bool:
        """Waits for the end; True if it came in time or there is nothing to wait for."""
        if self.started:
            self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        pauses = _pauses()
        while not self._stop.is_set():
            try:
                deliveries = self._broker.receive(self.topic, limit=self._subscription.batch, wait_s=self._wait_s)
                self._lag_since = deliveries[0].published_at if deliveries else None
                self._work(deliveries)
                pauses = _pauses()
            except Unavailable as error:
                self._away("queue_away", error)
                self._stop.wait(next(pauses))
            except Exception as error:
                self.last_error = f"{type(error).__name__}: {error}"
                log.exception("consumer_failed", topic=self.topic)
                self._stop.wait(next(pauses))
        self._lag_since = None
        self._ended.set()

    def _work(self, deliveries: Sequence[Delivery]) -> None:
        if not deliveries:
            return
        started = time.monotonic()
        self._held = deliveries
        try:
            self._attempt(deliveries)
        finally:
            self._held = ()
            SECONDS.labels(self.topic).observe(time.monotonic() - started)

    def _attempt(self, deliveries: Sequence[Delivery]) -> None:
        try:
            if not self._until_it_works(lambda: self._subscription.job([d.message for d in deliveries]), "part_away"):
                return
        except Exception as error:  # noqa: BLE001  (whatever it is, it goes with the message)
            self._failed(deliveries, error)
            return
        self._settle(deliveries, "done", lambda: self._broker.ack(deliveries))

    def _failed(self, deliveries: Sequence[Delivery], error: Exception) -> None:
        if len(deliveries) > 1:
            middle = len(deliveries) // 2
            self._attempt(deliveries[:middle])
            if not self._stop.is_set():
                self._attempt(deliveries[middle:])
            return
        (delivery,) = deliveries
        known = isinstance(error, RecomeshError)
        reason = error.message if isinstance(error, RecomeshError) else f"{type(error).__name__}: {error}"
        log.error(
            "job_failed",
            topic=self.topic,
            key=delivery.message.key,
            attempt=delivery.attempt,
            error=reason,
            exc_info=None if known else error,
        )
        delay_s = min(RETRY_S * 4 ** (delivery.attempt - 1), LONGEST_RETRY_S)
        self._settle(deliveries, "failed", lambda: self._broker.retry(deliveries, reason=reason, delay_s=delay_s))
        self.last_error = reason

    def _settle(self, deliveries: Sequence[Delivery], outcome: str, settle: Callable[[], None]) -> None:
        if self._until_it_works(settle, "queue_away"):
            MESSAGES.labels(self.topic, outcome).inc(len(deliveries))

    def _until_it_works(self, act: Callable[[], None], event: str) -> bool:
        """Waits out what is away. False if the worker was stopped meanwhile."""
        pauses = _pauses()
        while True:
            try:
                act()
            except AWAY as error:
                self._away(event, error)
                if self._stop.wait(next(pauses)):
                    return False
            else:
                self.last_error = ""
                return True

    def _away(self, event: str, error: RecomeshError) -> None:
        if self.last_error != error.message:
            log.warning(event, topic=self.topic, error=error.message)
        self.last_error = error.message

    def _keep_loans(self) -> None:
        while not self._ended.wait(self._renew_s):
            if held := self._held:
                with contextlib.suppress(Unavailable):  # the next round tries again, long before the loan ends
                    self._broker.renew(held)


def _pauses() -> Iterator[float]:
    yield from PAUSES_S
    while True:
        yield PAUSES_S[-1]
