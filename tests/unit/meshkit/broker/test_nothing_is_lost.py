"""Whatever is done to a queue, each message is in one place: waiting, done, or a dead letter."""

import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from meshkit.broker.memory_broker import MemoryBroker
from meshkit.broker.port import Broker, Delivery, Message
from meshkit.broker.sqlite_broker import SqliteBroker

TOPIC = "train"
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("publish"), st.integers(1, 4)),
        st.tuples(st.just("receive"), st.integers(1, 4)),
        st.tuples(st.sampled_from(["ack", "retry", "bury"]), st.integers(0, 3)),
        st.tuples(st.sampled_from(["replay", "purge"]), st.just(0)),
    ),
    max_size=25,
)


class Ledger:
    """Does the steps to a queue and keeps the books."""

    def __init__(self, broker: Broker) -> None:
        self.broker = broker
        self.alive: set[bytes] = set()
        self.held: list[Delivery] = []
        self.published = 0

    def do(self, step: str, amount: int) -> None:
        if step == "publish":
            bodies = [str(self.published + n).encode() for n in range(amount)]
            self.published += amount
            self.broker.publish([Message(TOPIC, body) for body in bodies])
            self.alive |= set(bodies)
        elif step == "receive":
            self.held += self.broker.receive(TOPIC, limit=amount, wait_s=0)
        elif step == "replay":
            self.broker.replay(TOPIC)
        elif step == "purge":
            self.alive -= {letter.message.body for letter in self.broker.dead_letters(TOPIC)}
            self.broker.purge(TOPIC)
        elif len(self.held) > amount:
            self.settle(step, self.held.pop(amount))

    def settle(self, step: str, delivery: Delivery) -> None:
        if step == "ack":
            self.broker.ack([delivery])
            self.alive.discard(delivery.message.body)
        elif step == "retry":
            self.broker.retry([delivery], reason="again", delay_s=0)
        else:
            self.broker.bury(delivery, reason="never")

    def check(self) -> None:
        assert self.broker.depth(TOPIC) + self.broker.dead_letter_count(TOPIC) == len(self.alive)
        found = {letter.message.body for letter in self.broker.dead_letters(TOPIC)}
        found |= {delivery.message.body for delivery in self.held}
        while more := self.broker.receive(TOPIC, limit=100, wait_s=0):
            found |= {delivery.message.body for delivery in more}
        assert found == self.alive


@given(STEPS)
@settings(max_examples=50, deadline=None)
def test_in_memory(steps: list[tuple[str, int]]) -> None:
    ledger = Ledger(MemoryBroker())
    for step in steps:
        ledger.do(*step)
    ledger.check()


@given(STEPS)
@settings(max_examples=25, deadline=None)
def test_in_a_file(steps: list[tuple[str, int]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        broker = SqliteBroker(Path(folder) / "queue.db")
        ledger = Ledger(broker)
        for step in steps:
            ledger.do(*step)
        ledger.check()
        broker.close()
