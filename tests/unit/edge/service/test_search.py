"""Search by words and by meaning at once."""

import pytest

from edge.adapters.memory_cache import MemoryCache
from edge.adapters.redis_shared_cache import NothingShared
from edge.domain.card import Card
from edge.domain.change_history import ChangeHistory
from edge.domain.recommendation import RankedItem
from edge.service.card_book import CardBook
from edge.service.search import Search
from meshkit.errors import InvalidArgument, Unavailable
from tests.unit.edge.service.conftest import Clock, FakeCatalog, FakeReco, answer, card


@pytest.fixture
def search(catalog: FakeCatalog, reco: FakeReco, clock: Clock) -> Search:
    catalog.held = {i: card(i) for i in "abcd"}
    catalog.found = [card("a"), card("b")]
    near = answer()
    items = tuple(RankedItem(i, n, 1.0, "similar" if i != "d" else "popular") for n, i in enumerate("bcd", 1))
    reco.answers["similar"] = type(near)("r", items, (), 0, False, "m", "r", near.generated_at)
    return Search(
        catalog,
        reco,
        CardBook(
            catalog, MemoryCache[str, Card](max_entries=9, ttl_s=9), NothingShared(), ChangeHistory(), clock=clock
        ),
    )


async def found(search: Search, limit: int = 10) -> list[str]:
    cards, _ = await search("x", "", limit)
    return [one.product_id for one in cards]


async def test_what_both_ways_find_comes_first_and_fill_ups_are_left_out(search: Search) -> None:
    assert await found(search) == ["b", "a", "c"]
    assert await found(search, limit=2) == ["b", "a"]


async def test_one_way_is_enough(search: Search, catalog: FakeCatalog, reco: FakeReco) -> None:
    reco.error = Unavailable("reco")
    cards, degraded = await search("x", "", 10)
    assert ([one.product_id for one in cards], degraded) == (["a", "b"], True)
    catalog.error = Unavailable("catalog")
    with pytest.raises(Unavailable) as raised:
        await search("x", "", 10)
    assert raised.value.part == "catalog"


async def test_a_wrong_filter_is_an_error(search: Search, reco: FakeReco) -> None:
    reco.error = InvalidArgument.of("filter", "is wrong")
    with pytest.raises(InvalidArgument):
        await search("x", "price <", 10)


async def test_sold_out_products_come_only_when_asked_for(search: Search, catalog: FakeCatalog) -> None:
    catalog.found = [card("a", sold_out=True)]
    assert await found(search) == ["b", "c"]
    cards, _ = await search("x", "", 10, sold_out_too=True)
    assert "a" in [one.product_id for one in cards]
