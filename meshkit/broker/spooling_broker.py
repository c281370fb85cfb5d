"""Publishing that never waits for a queue that is away: a local file takes the messages and hands them over later.

`publish` tries the queue within a tight budget. When that fails, its messages go to the spool, and so do all that
follow until the spool is empty: the order holds. A thread moves them to the queue, in order, and is the only one that
finds out when it is back, so that no request pays for the outage but those that met its beginning. A message leaves the
spool when the queue has it: a crash between the two delivers it twice, which every job bears.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import structlog
from prometheus_client import Counter, Gauge

from meshkit.broker.port import Broker, DeadLetter, Delivery, Message
from meshkit.broker.spool import Spool
from meshkit.errors import Unavailable

log = structlog.get_logger()
DEPTH = Gauge("recomesh_spool_depth", "Messages in the local spool that the queue does not have yet")
AGE_SECONDS = Gauge("recomesh_spool_age_seconds", "Age of the oldest message in the local spool, 0 when it is empty")
SPOOLED = Counter("recomesh_spool_messages_total", "Messages that took the way through the local spool")

BUDGET_S = 0.3
TICK_S = 0.5  # how often the drainer looks for what other processes of this spool left
PAUSES_S = (0.1, 1.0)  # shortest and longest pause after the queue refused a batch


class TimedBroker(Broker, Protocol):
    """A queue whose `publish` can be given less time."""

    def publish_within(self, messages: Sequence[Message], timeout_s: float) -> None:
        """`publish`, or Unavailable after `timeout_s` seconds."""
        ...


@dataclass(frozen=True, slots=True)
class SpoolState:
    """`depth` messages wait in the spool, the oldest for `age_s` seconds; `trouble` is why, "" when none wait."""

    depth: int
    age_s: float
    trouble: str


class SpoolingBroker:
    """See `port.Broker`; all but `publish` and `close` is the queue's own."""

    def __init__(self, broker: TimedBroker, spool: Spool, *, budget_s: float = BUDGET_S) -> None:
        self._broker = broker
        self._spool = spool
        self._budget_s = budget_s
        self._lock = threading.Lock()
        self._writing = 0
        self._diverted = True  # until the drainer has seen that nothing is left from last time
        self._since: float | None = None
        self._trouble = ""
        self.seen = SpoolState(0, 0.0, "")
        self._wake = threading.Event()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="spool-drainer", daemon=True)
        self._thread.start()

    def publish(self, messages: Sequence[Message]) -> None:
        """See `port.Broker`. Unavailable only when neither queue nor spool take the messages."""
        if not messages or (not self._diverted and self._published(messages)):
            return
        with self._lock:
            self._diverted, self._writing = True, self._writing + 1
            self._since = self._since or time.monotonic()
        try:
            self._spool.add(messages)
            SPOOLED.inc(len(messages))
        except Unavailable as error:
            why = f"the queue is away ({self._trouble}) and " if self._trouble else ""
            raise Unavailable("queue", f"{why}{error.message}") from error
        finally:
            with self._lock:
                self._writing -= 1
            self._wake.set()

    @property
    def diverted(self) -> bool:
        """True while messages go through the spool."""
        return self._diverted

    def state(self) -> SpoolState:
        """What waits now. Unavailable when the spool can not be read."""
        depth = self._spool.depth()
        age_s = max(self._spool.held_age_s, time.monotonic() - (self._since or time.monotonic())) if depth else 0.0
        return SpoolState(depth, age_s, self._trouble if depth else "")

    def receive(self, topic: str, *, limit: int, wait_s: float) -> Sequence[Delivery]:
        """See `port.Broker`."""
        return self._broker.receive(topic, limit=limit, wait_s=wait_s)

    def ack(self, deliveries: Sequence[Delivery]) -> None:
        """See `port.Broker`."""
        self._broker.ack(deliveries)

    def retry(self, deliveries: Sequence[Delivery], *, reason: str, delay_s: float) -> None:
        """See `port.Broker`."""
        self._broker.retry(deliveries, reason=reason, delay_s=delay_s)

    def bury(self, delivery: Delivery, *, reason: str) -> None:
        """See `port.Broker`."""
        self._broker.bury(delivery, reason=reason)

    def renew(self, deliveries: Sequence[Delivery]) -> None:
        """See `port.Broker`."""
        self._broker.renew(deliveries)

    def depth(self, topic: str) -> int:
        """See `port.Broker`; `state` says what is still in the spool."""
        return self._broker.depth(topic)

    def dead_letter_count(self, topic: str) -> int:
        """See `port.Broker`."""
        return self._broker.dead_letter_count(topic)

    def dead_letters(self, topic: str, *, limit: int = 100) -> Sequence[DeadLetter]:
        """See `port.Broker`."""
        return self._broker.dead_letters(topic, limit=limit)

    def replay(self, topic: str, letter_ids: Sequence[str] | None = None) -> int:
        """See `port.Broker`."""
        return self._broker.replay(topic, letter_ids)

    def purge(self, topic: str, letter_ids: Sequence[str] | None = None) -> int:
        """See `port.Broker`."""
        return self._broker.purge(topic, letter_ids)

    def close(self) -> None:
        """See `port.Broker`. What is in the spool stays there for the next start."""
        self._closing.set()
        self._wake.set()
        self._thread.join()
        self._spool.close()
        self._broker.close()

    def _published(self, messages: Sequence[Message]) -> bool:
        try:
            self._broker.publish_within(messages, self._budget_s)
        except Unavailable as error:
            self._away(error)
            return False
        return True

    def _run(self) -> None:
        pause_s, longest_s = PAUSES_S
        while not self._closing.is_set():
            try:
                self._drain()
                pause_s = PAUSES_S[0]
                self._wake.wait(TICK_S)
                self._wake.clear()
            except Unavailable as error:
                self._away(error)
                self._closing.wait(pause_s)
                pause_s = min(2 * pause_s, longest_s)
            except Exception as error:
                log.exception("spool_drainer_failed")
                self._away(Unavailable("queue", f"{type(error).__name__}: {error}"))
                self._closing.wait(longest_s)

    def _drain(self) -> None:
        """Moves everything; Unavailable from queue or spool ends it with the batch at hand kept for the next call."""
        quick, moved = True, 0
        while not self._closing.is_set() and (batch := self._spool.oldest()):
            began = time.monotonic()
            self._broker.publish(batch)
            quick = time.monotonic() - began <= self._budget_s
            self._spool.drop_oldest()
            moved += len(batch)
            self._show()
        if moved:
            log.info("spool_drained", messages=moved)
        with self._lock:  # a queue that answers late is as good as away: what comes goes on through the spool
            if quick and not self._writing and not self._spool.depth():
                self._diverted, self._since, self._trouble = False, None, ""
        self._show()

    def _away(self, error: Unavailable) -> None:
        if not self._trouble:
            log.warning("queue_away", error=error.message, effect="messages go to the spool")
        self._trouble = error.message
        self._show()

    def _show(self) -> None:
        try:
            self.seen = self.state()
        except Unavailable as error:
            log.warning("spool_unreadable", error=error.message)
            return
        DEPTH.set(self.seen.depth)
        AGE_SECONDS.set(self.seen.age_s)


def spool_of(broker: Broker) -> Callable[[], SpoolState] | None:
    """How to ask what the drainer saw last in the spool of a queue, which waits for nothing; None without a spool."""
    return (lambda: broker.seen) if isinstance(broker, SpoolingBroker) else None
