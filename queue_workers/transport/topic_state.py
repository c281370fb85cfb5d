"""What each topic is doing, for status page and metrics."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from prometheus_client import Gauge

from meshkit import topics
from meshkit.broker.port import Broker
from meshkit.errors import Unavailable
from queue_workers.transport.consumer import Consumer

DEPTH = Gauge("recomesh_queue_depth", "Messages not settled yet", ["topic"])
DEAD_LETTERS = Gauge("recomesh_queue_dead_letters", "Messages that failed too often", ["topic"])
LAG_SECONDS = Gauge("recomesh_worker_lag_seconds", "Age of the oldest message at work, 0 when none waits", ["topic"])
BUSY = Gauge("recomesh_worker_busy", "Batches at work", ["topic"])


@dataclass(frozen=True, slots=True)
class TopicState:
    """`depth` and `dead_letters` are None while the queue is away; `oldest_s` is the age of the oldest message at work;
    `last_error` is "" once a batch succeeded."""

    depth: int | None
    dead_letters: int | None
    oldest_s: float
    busy: int
    consumers: int
    last_error: str


def topic_states(broker: Broker, consumers: Sequence[Consumer]) -> dict[str, TopicState]:
    """The state of every topic now. Blocking."""
    states = {}
    for topic in topics.ALL:
        mine = [c for c in consumers if c.topic == topic]
        states[topic] = TopicState(
            depth=_count(partial(broker.depth, topic)),
            dead_letters=_count(partial(broker.dead_letter_count, topic)),
            oldest_s=round(max((c.lag_s for c in mine), default=0.0), 3),
            busy=sum(c.busy for c in mine),
            consumers=sum(c.alive for c in mine),
            last_error=next((c.last_error for c in mine if c.last_error), ""),
        )
    return states


def set_gauges(broker: Broker, consumers: Sequence[Consumer]) -> None:
    """Brings the gauges up to date; those that can not be known keep their last value. Blocking."""
    for topic, state in topic_states(broker, consumers).items():
        if state.depth is not None:
            DEPTH.labels(topic).set(state.depth)
        if state.dead_letters is not None:
            DEAD_LETTERS.labels(topic).set(state.dead_letters)
        LAG_SECONDS.labels(topic).set(state.oldest_s)
        BUSY.labels(topic).set(state.busy)


def _count(ask: Callable[[], int]) -> int | None:
    try:
        return ask()
    except Unavailable:
        return None
