"""One ledger run: events over REST, faults all the while, then the books are compared with the stores."""

from __future__ import annotations

import json
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field

from meshkit.broker.port import MAX_ATTEMPTS, Broker, Message
from meshkit.broker.rabbit_broker import RabbitBroker
from meshkit.errors import Unavailable
from meshkit.topics import INTERACTIONS
from tests.ledger.backends import Backends
from tests.ledger.faults import Fault, carry_out
from tests.ledger.senders import Sender
from tests.support.processes import wait_until

SENDERS = 4
POISON = (b"not json", b'{"events": 7}', b'{"events": [7]}', b"[]", b'{"events": [{"event_id": "poison"}]}')
FINISH_S = 900.0  # after the last fault: what was held up is sent as fast as answers come
SETTLE_S = 300.0  # after the last fault: the spool drains, the log catches up, poison dies its five deaths


@dataclass
class Outcome:
    """What a run found. `wrong` is empty when the books agree."""

    sent: int
    acknowledged: int
    logged: int
    answers: Counter[str]
    slowest_s: float
    took_s: float
    settled_s: float
    wrong: list[str] = field(default_factory=list)

    def summary(self) -> str:
        """For people."""
        head = f"{self.sent:,} events sent, {self.acknowledged:,} acknowledged, {self.logged:,} in the log"
        told = ", ".join(f"{name} {count:,}" for name, count in self.answers.most_common())
        times = f"{self.took_s:.0f} s, settled {self.settled_s:.0f} s later, slowest answer {self.slowest_s:.1f} s"
        return "\n".join([head, f"answers: {told}", times, *(self.wrong or ["the books agree"])])


def run(backends: Backends, *, seed: int, events: int, within_s: float, faults: Sequence[Fault]) -> Outcome:
    """Sends `events` events within `within_s` seconds while `faults` happen, and audits."""
    began = time.monotonic()

    def tell(what: str) -> None:
        sys.stderr.write(f"{time.monotonic() - began:6.1f} s  {what}\n")

    base_url = f"http://127.0.0.1:{backends.mesh.port}"
    senders = [Sender(n, seed, base_url, events // SENDERS, within_s) for n in range(SENDERS)]
    stop = threading.Event()
    try:
        for sender in senders:
            sender.thread.start()
        _plant(backends)
        carry_out(faults, backends, tell, stop)
        tell("all faults are over")
        for sender in senders:
            assert sender.done.wait(FINISH_S), "a sender did not finish"
    finally:
        stop.set()
        for sender in senders:
            sender.stop.set()
        for sender in senders:
            sender.thread.join(20)
    took_s = time.monotonic() - began
    return _audit(backends, senders, took_s, tell)


def _plant(backends: Backends) -> None:
    """Poison among the events. A body of which nobody knows whether it arrived is sent again."""
    with closing(RabbitBroker(backends.rabbit_url)) as broker:
        for body in POISON:
            wait_until(lambda: _published(broker, body), what="a queue that takes poison")  # noqa: B023


def _published(broker: Broker, body: bytes) -> bool:
    try:
        broker.publish([Message(INTERACTIONS, body, key="poison")])
    except Unavailable:
        return False
    return True


def _audit(backends: Backends, senders: Sequence[Sender], took_s: float, tell: Callable[[str], None]) -> Outcome:
    acknowledged = set().union(*(sender.acknowledged for sender in senders))
    sent = set().union(*(sender.sent for sender in senders))
    began = time.monotonic()
    wrong = _settled(backends, acknowledged, tell)
    settled_s = time.monotonic() - began
    tell("settled" if not wrong else "NOT settled")
    ids = [event_id for (event_id,) in backends.rows("SELECT event_id FROM reco_interaction")]
    logged = set(ids)
    wrong += _say("acknowledged and lost", acknowledged - logged)
    wrong += _say("in the log twice", {event_id for event_id, count in Counter(ids).items() if count > 1})
    wrong += _say("in the log but never sent", logged - sent)
    wrong += _counters(backends)
    wrong += _dead(backends)
    answers = sum((sender.answers for sender in senders), Counter[str]())
    slowest_s = max(sender.slowest_s for sender in senders)
    return Outcome(len(sent), len(acknowledged), len(ids), answers, slowest_s, took_s, settled_s, wrong)


def _settled(backends: Backends, acknowledged: set[str], tell: Callable[[str], None]) -> list[str]:
    """Waits until nothing moves any more; says what still does when the time is over."""
    with closing(RabbitBroker(backends.rabbit_url)) as broker:

        def unsettled() -> str:
            try:
                depth, dead = broker.depth(INTERACTIONS), broker.dead_letter_count(INTERACTIONS)
                ((logged,),) = backends.rows("SELECT count(*) FROM reco_interaction")
            except Exception as error:  # noqa: BLE001  (a server that comes back)
                return repr(error)
            if depth or dead < len(POISON) or logged < len(acknowledged):
                return f"queue {depth}, dead letters {dead}, log {logged} of {len(acknowledged)}"
            return ""

        deadline, told = time.monotonic() + SETTLE_S, ""
        while what := unsettled():
            if time.monotonic() > deadline:
                return [f"not settled within {SETTLE_S:.0f} s: {what}"]
            if what != told:
                tell(f"waiting: {what}")
            told = what
            time.sleep(0.5)
    return []


def _counters(backends: Backends) -> list[str]:
    hour_us = 3_600_000_000
    logged = backends.rows(
        f"SELECT product_id, type, at_us / {hour_us}, count(*) FROM reco_interaction GROUP BY 1, 2, 3"
    )
    counted = backends.rows("SELECT product_id, type, hour, events FROM reco_hourly_count")
    difference = set(map(tuple, logged)) ^ set(map(tuple, counted))
    return [f"counters differ from the log: {sorted(difference)[:5]} … ({len(difference)})"] if difference else []


def _dead(backends: Backends) -> list[str]:
    with closing(RabbitBroker(backends.rabbit_url)) as broker:
        letters = broker.dead_letters(INTERACTIONS, limit=1000)
    bodies = {letter.message.body for letter in letters}
    wrong = [f"dead but no poison: {body[:200]!r}" for body in bodies - set(POISON)]
    wrong += [f"poison that is not dead: {body!r}" for body in set(POISON) - bodies]
    few = [letter.attempts for letter in letters if letter.attempts < MAX_ATTEMPTS]
    return wrong + ([f"dead letters with too few attempts: {few}"] if few else [])


def _say(what: str, ids: set[str]) -> list[str]:
    return [f"{what}: {len(ids):,}, such as {json.dumps(sorted(ids)[:5])}"] if ids else []
