import asyncio
import json
import threading

import pytest

from catalog_svc.adapters.memory_product_repository import MemoryProductRepository
from catalog_svc.adapters.memory_relay_cursor import MemoryRelayCursor
from catalog_svc.transport.relay import Relay
from meshkit.broker.memory_broker import MemoryBroker
from meshkit.errors import Unavailable
from meshkit.topics import PRODUCT_CHANGED
from tests.support.catalog import NOON, product


class Queue(MemoryBroker):
    """A queue that can be taken away."""

    away = False

    def publish(self, messages):
        if self.away:
            raise Unavailable("queue")
        super().publish(messages)

    def ids(self):
        got = self.receive(PRODUCT_CHANGED, limit=100, wait_s=0)
        return [i for delivery in got for i in json.loads(delivery.message.body)["product_ids"]]


@pytest.fixture
def queue():
    return Queue()


@pytest.fixture
def repository():
    return MemoryProductRepository()


async def until(condition):
    for _ in range(1_000):
        if condition():
            return
        await asyncio.sleep(0.005)
    raise AssertionError(condition)


async def test_a_wake_relays_at_once(repository, queue):
    relay, stop = Relay(repository, MemoryRelayCursor(), queue, interval_s=3_600), asyncio.Event()
    running = asyncio.create_task(relay.run(stop))
    await asyncio.sleep(0.02)
    repository.upsert([product("a")], NOON)
    threading.Thread(target=relay.wake).start()
    await until(lambda: queue.ids() == ["a"])
    stop.set()
    relay.wake()
    await running


async def test_what_others_wrote_is_found_without_a_wake(repository, queue):
    relay, stop = Relay(repository, MemoryRelayCursor(), queue, interval_s=0.01), asyncio.Event()
    running = asyncio.create_task(relay.run(stop))
    repository.upsert([product("a")], NOON)
    await until(lambda: queue.ids() == ["a"])
    stop.set()
    await running


async def test_the_last_changes_go_out_before_the_end(repository, queue):
    relay, stop = Relay(repository, MemoryRelayCursor(), queue, interval_s=3_600), asyncio.Event()
    stop.set()
    repository.upsert([product("a")], NOON)
    await relay.run(stop)
    assert queue.ids() == ["a"]


async def test_changes_wait_for_a_queue_that_is_away(repository, queue):
    queue.away = True
    relay, stop = Relay(repository, MemoryRelayCursor(), queue, interval_s=0.01), asyncio.Event()
    running = asyncio.create_task(relay.run(stop))
    repository.upsert([product("a")], NOON)
    await until(lambda: relay.trouble)
    queue.away = False
    await until(lambda: queue.ids() == ["a"])
    await until(lambda: not relay.trouble)
    stop.set()
    await running
