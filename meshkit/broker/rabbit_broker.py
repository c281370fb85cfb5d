"""The durable queue on RabbitMQ: quorum queues, publisher confirms, manual acknowledgements.

What this queue can not tell apart it says in docs/queue.md: a clean stop counts as a loss, `depth` does not see what
other processes hold, and of messages published together some may have been stored when `publish` raises.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from meshkit.broker.port import MAX_ATTEMPTS, MAX_LOSSES, DeadLetter, Delivery, Message
from meshkit.broker.rabbit_codec import dead_properties, first, properties
from meshkit.broker.rabbit_consumer import Loan, RabbitConsumer
from meshkit.broker.rabbit_letters import RabbitLetters
from meshkit.broker.rabbit_link import RabbitLink
from meshkit.broker.rabbit_publisher import Outgoing, RabbitPublisher
from meshkit.broker.rabbit_topology import PREFIX, RabbitTopology

CALL_S = 5.0
LETTERS_S = 60.0  # moving all dead letters of a topic


class RabbitBroker:
    """See `port.Broker`. Connects in the background; every call ends within `call_s` seconds (beyond `wait_s`)."""

    def __init__(
        self,
        url: str,
        *,
        prefix: str = PREFIX,
        call_s: float = CALL_S,
        max_attempts: int = MAX_ATTEMPTS,
        max_losses: int = MAX_LOSSES,
    ) -> None:
        self._link = RabbitLink(url)
        self._call_s = call_s
        self._max_attempts = max_attempts
        self._topology = RabbitTopology(self._link, prefix=prefix, max_losses=max_losses)
        self._publisher = RabbitPublisher(self._link, self._topology)
        self._letters = RabbitLetters(self._link, self._topology, max_losses)
        self._consumers: dict[str, RabbitConsumer] = {}

    def publish(self, messages: Sequence[Message]) -> None:
        """See `port.Broker`."""
        self.publish_within(messages, self._call_s)

    def publish_within(self, messages: Sequence[Message], timeout_s: float) -> None:
        """`publish`, given up after `timeout_s` seconds."""
        if messages:
            self._link.call(lambda: self._publish(messages), timeout_s)

    def receive(self, topic: str, *, limit: int, wait_s: float) -> Sequence[Delivery]:
        """See `port.Broker`."""
        return self._link.call(
            lambda: self._consumer(topic).receive(limit, wait_s),
            wait_s + self._call_s,
            abandoned=lambda: self._consumer(topic).drop(),
        )

    def ack(self, deliveries: Sequence[Delivery]) -> None:
        """See `port.Broker`."""
        if deliveries:
            self._link.call(lambda: self._ack(deliveries), self._call_s)

    def retry(self, deliveries: Sequence[Delivery], *, reason: str, delay_s: float) -> None:
        """See `port.Broker`; `delay_s` is rounded up to the next step of `rabbit_topology.RETRY_STEPS_MS`."""
        if deliveries:
            self._link.call(lambda: self._retry(deliveries, reason, delay_s), self._call_s)

    def bury(self, delivery: Delivery, *, reason: str) -> None:
        """See `port.Broker`."""
        self._link.call(lambda: self._move([delivery], lambda loan: self._to_dead(loan, reason)), self._call_s)

    def renew(self, deliveries: Sequence[Delivery]) -> None:
        """See `port.Broker`; heartbeats of the connection keep its loans."""

    def depth(self, topic: str) -> int:
        """See `port.Broker`; without what other processes hold."""
        return self._link.call(lambda: self._depth(topic), self._call_s)

    def dead_letter_count(self, topic: str) -> int:
        """See `port.Broker`."""
        return self._link.call(lambda: self._letters.count(topic), self._call_s)

    def dead_letters(self, topic: str, *, limit: int = 100) -> Sequence[DeadLetter]:
        """See `port.Broker`."""
        return self._link.call(lambda: self._letters.first(topic, limit), LETTERS_S)

    def replay(self, topic: str, letter_ids: Sequence[str] | None = None) -> int:
        """See `port.Broker`."""

        async def publish(letters: Sequence[DeadLetter]) -> None:
            await self._publish([letter.message for letter in letters])

        return self._link.call(lambda: self._letters.move(topic, letter_ids, publish), LETTERS_S)

    def purge(self, topic: str, letter_ids: Sequence[str] | None = None) -> int:
        """See `port.Broker`."""
        return self._link.call(lambda: self._letters.move(topic, letter_ids), LETTERS_S)

    def version(self) -> str:
        """Version of the server, which answers now."""
        return self._link.call(self._ask_version, self._call_s)

    @property
    def blocked(self) -> str:
        """Why the server takes no messages although it answers; "" when it does."""
        return self._link.blocked

    def close(self) -> None:
        """See `port.Broker`; the server counts what goes back as lost once."""
        self._link.close()

    def _consumer(self, topic: str) -> RabbitConsumer:
        """Runs in the IO thread only."""
        return self._consumers.setdefault(topic, RabbitConsumer(self._link, self._topology, topic))

    async def _publish(self, messages: Sequence[Message]) -> None:
        for topic in {message.topic for message in messages}:
            await self._topology.ensure(topic)
        await self._publisher.publish(
            [Outgoing(self._topology.main(m.topic), properties(first(m)), m.body) for m in messages]
        )

    async def _ask_version(self) -> str:
        await (await self._link.channel("declare")).round_trip()
        return self._link.server_version

    async def _ack(self, deliveries: Sequence[Delivery]) -> None:
        for topic in {delivery.message.topic for delivery in deliveries}:
            consumer = self._consumer(topic)
            consumer.ack(consumer.loans([d for d in deliveries if d.message.topic == topic]))

    async def _retry(self, deliveries: Sequence[Delivery], reason: str, delay_s: float) -> None:
        def onward(loan: Loan) -> Outgoing:
            failures = loan.carried.failures + 1
            if failures >= self._max_attempts:
                return self._to_dead(loan, reason)
            again = replace(loan.carried, failures=failures)
            return Outgoing(self._topology.after(again.message.topic, delay_s), properties(again), again.message.body)

        await self._move(deliveries, onward)

    def _to_dead(self, loan: Loan, reason: str) -> Outgoing:
        failed = replace(loan.carried, failures=loan.carried.failures + 1)
        return Outgoing(self._topology.dead(failed.message.topic), dead_properties(failed, reason), failed.message.body)

    async def _move(self, deliveries: Sequence[Delivery], onward: Callable[[Loan], Outgoing]) -> None:
        """Stored in the next queue first, then acknowledged: a crash between the two delivers twice."""
        for topic in {delivery.message.topic for delivery in deliveries}:
            consumer = self._consumer(topic)
            loans = consumer.loans([d for d in deliveries if d.message.topic == topic])
            if loans:
                await self._publisher.publish([onward(loan) for loan in loans])
                consumer.ack(loans)

    async def _depth(self, topic: str) -> int:
        await self._topology.ensure(topic)
        channel = await self._link.channel("declare")
        ready = [await channel.count(queue) for queue in (self._topology.main(topic), *self._topology.retries(topic))]
        return sum(ready) + self._consumer(topic).held
