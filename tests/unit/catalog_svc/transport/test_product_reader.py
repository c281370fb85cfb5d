import asyncio

import pytest

from catalog_svc.adapters.memory_product_repository import MemoryProductRepository
from catalog_svc.transport.product_reader import MAX_BATCH, ProductReader
from meshkit.errors import Unavailable
from tests.support.catalog import NOON, product


class Counting(MemoryProductRepository):
    def __init__(self):
        super().__init__()
        self.reads = []
        self.away = False

    def get(self, product_ids):
        self.reads.append(len(product_ids))
        if self.away:
            raise Unavailable("store")
        return super().get(product_ids)


@pytest.fixture
def repository():
    made = Counting()
    made.upsert([product(f"p{n}") for n in range(500)], NOON)
    made.reads.clear()
    return made


async def test_a_product_is_read(repository):
    reader = ProductReader(repository)
    assert (await reader.get("p7")).product_id == "p7"
    assert await reader.get("unknown") is None


async def test_reads_at_the_same_time_share_a_batch(repository):
    reader = ProductReader(repository)
    got = await asyncio.gather(*(reader.get(f"p{n % 500}") for n in range(1_000)))
    assert [p.product_id for p in got] == [f"p{n % 500}" for n in range(1_000)]
    assert len(repository.reads) < 20
    assert max(repository.reads) <= MAX_BATCH


async def test_a_read_sees_what_was_written_before_it_began(repository):
    reader = ProductReader(repository)
    for n in range(50):
        repository.upsert([product("x", f"title {n}")], NOON)
        assert (await reader.get("x")).title == f"title {n}"


async def test_every_waiting_caller_hears_of_trouble_and_the_next_read_is_fresh(repository):
    reader = ProductReader(repository)
    repository.away = True
    got = await asyncio.gather(*(reader.get(f"p{n}") for n in range(10)), return_exceptions=True)
    assert all(isinstance(error, Unavailable) for error in got)
    repository.away = False
    assert await reader.get("p1")


async def test_a_caller_that_gives_up_does_not_disturb_the_others(repository):
    reader = ProductReader(repository)
    impatient = asyncio.create_task(reader.get("p1"))
    patient = asyncio.create_task(reader.get("p1"))
    await asyncio.sleep(0)
    impatient.cancel()
    assert (await patient).product_id == "p1"
