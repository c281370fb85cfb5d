"""The edge's copy of product cards."""

import asyncio

import pytest

from edge.adapters.memory_cache import MemoryCache
from edge.adapters.redis_shared_cache import NothingShared
from edge.domain.card import Card
from edge.domain.change_history import ChangeHistory
from edge.service.card_book import UNKNOWN_TTL_S, CardBook
from meshkit.errors import NotFound, Unavailable
from tests.unit.edge.service.conftest import Clock, FakeCatalog, card


@pytest.fixture
def book(catalog: FakeCatalog, clock: Clock) -> CardBook:
    held = MemoryCache[str, Card](max_entries=100, ttl_s=300, jitter=0, clock=clock)
    return CardBook(catalog, held, NothingShared(), ChangeHistory(), clock=clock)


async def test_a_card_is_read_once(book: CardBook, catalog: FakeCatalog) -> None:
    catalog.held = {"a": card("a"), "b": card("b")}
    await book.cards(["a", "b"])
    found = await book.cards(["b", "a"])
    assert set(found.cards) == {"a", "b"}
    assert catalog.asked == [["a", "b"]]


async def test_only_missing_cards_are_asked_for(book: CardBook, catalog: FakeCatalog) -> None:
    catalog.held = {"a": card("a"), "b": card("b")}
    await book.cards(["a"])
    await book.cards(["a", "b"])
    assert catalog.asked == [["a"], ["b"]]


async def test_of_500_who_want_a_card_that_ended_one_reads_it(
    book: CardBook, catalog: FakeCatalog, clock: Clock
) -> None:
    catalog.held = {"a": card("a"), "b": card("b")}
    await book.cards(["a", "b"])
    clock.now += 301
    catalog.gate = asyncio.Event()
    waiting = [asyncio.create_task(book.cards(["a", "b"] if n % 2 else ["a"])) for n in range(500)]
    waiting.append(asyncio.create_task(book.cards(["a", "b"])))
    await asyncio.sleep(0)
    impatient = waiting.pop(0)
    impatient.cancel()
    await asyncio.sleep(0)
    catalog.gate.set()
    found = await asyncio.gather(*waiting)
    assert all(answer.cards["a"] == card("a") for answer in found)
    assert sorted(catalog.asked) == [["a"], ["a", "b"], ["b"]]


@pytest.fixture
def patient(catalog: FakeCatalog, clock: Clock) -> CardBook:
    """Gives a card for 100 s after its time to live, while it is read anew."""
    held = MemoryCache[str, Card](max_entries=100, ttl_s=300, jitter=0, revalidate_s=100, clock=clock)
    return CardBook(catalog, held, NothingShared(), ChangeHistory(), clock=clock)


@pytest.fixture
async def ended(patient: CardBook, catalog: FakeCatalog, clock: Clock) -> CardBook:
    """Holds "a", whose time to live is over."""
    catalog.held = {"a": card("a")}
    await patient.card("a")
    clock.now += 301
    return patient


async def test_a_card_that_ended_answers_while_it_is_read_anew_once(ended: CardBook, catalog: FakeCatalog) -> None:
    catalog.gate = asyncio.Event()
    catalog.held = {"a": card("a", revision=9)}
    assert await ended.card("a") == (card("a"), False)
    assert (await ended.cards(["a"])).cards == {"a": card("a")}
    await asyncio.sleep(0)
    catalog.gate.set()
    while ended.known("a") != card("a", revision=9):  # noqa: ASYNC110  (the flight is nobody's to wait for)
        await asyncio.sleep(0)
    assert await ended.card("a") == (card("a", revision=9), False)
    assert catalog.asked == [["a"], ["a"]]


async def test_when_a_card_can_not_be_read_anew_the_next_who_wants_it_hears_of_it(
    ended: CardBook, catalog: FakeCatalog
) -> None:
    catalog.error = Unavailable("catalog")
    assert await ended.card("a") == (card("a"), False)
    for _ in range(5):
        await asyncio.sleep(0)
    assert await ended.card("a") == (card("a"), True)


async def test_a_gone_product_and_an_old_card_are_waited_for(
    patient: CardBook, catalog: FakeCatalog, clock: Clock
) -> None:
    catalog.held = {"a": card("a")}
    await patient.cards(["a", "b"])
    clock.now += 401
    catalog.held = {"a": card("a", revision=9), "b": card("b")}
    assert (await patient.cards(["a", "b"])).cards == catalog.held


async def test_who_waited_for_a_read_that_failed_hears_of_it_and_the_next_reads_anew(
    book: CardBook, catalog: FakeCatalog
) -> None:
    catalog.gate, catalog.error = asyncio.Event(), Unavailable("catalog")
    waiting = [asyncio.create_task(book.cards(["a"])) for _ in range(3)]
    await asyncio.sleep(0)
    catalog.gate.set()
    assert [(a.degraded, dict(a.cards)) for a in await asyncio.gather(*waiting)] == [(True, {})] * 3
    catalog.error, catalog.held = None, {"a": card("a")}
    assert (await book.cards(["a"])).cards == {"a": card("a")}


async def test_an_unknown_product_is_gone_and_asked_again_soon(
    book: CardBook, catalog: FakeCatalog, clock: Clock
) -> None:
    assert (await book.cards(["a"])).cards["a"].gone
    await book.cards(["a"])
    assert len(catalog.asked) == 1
    clock.now += UNKNOWN_TTL_S + 0.1
    catalog.held = {"a": card("a")}
    assert not (await book.cards(["a"])).cards["a"].gone


async def test_held_cards_serve_while_the_catalog_is_away(book: CardBook, catalog: FakeCatalog, clock: Clock) -> None:
    catalog.held = {"a": card("a")}
    await book.cards(["a"])
    clock.now += 301
    catalog.error = Unavailable("catalog")
    found = await book.cards(["a", "b"])
    assert (set(found.cards), found.degraded) == ({"a"}, True)
    assert await book.card("a") == (card("a"), True)
    with pytest.raises(Unavailable):
        await book.card("b")


async def test_a_change_replaces_a_held_card_and_answers_the_old_one(book: CardBook, catalog: FakeCatalog) -> None:
    catalog.held = {"a": card("a", 1)}
    await book.cards(["a"])
    assert book.changed(card("a", 2, price=5)) == card("a", 1)
    assert book.known("a") == card("a", 2, price=5)


async def test_a_change_of_a_product_never_read_is_not_kept(book: CardBook) -> None:
    assert book.changed(card("a", 2)) is None
    assert book.known("a") is None


async def test_a_change_that_overtakes_a_read_wins(book: CardBook, catalog: FakeCatalog) -> None:
    catalog.held = {"a": card("a", 1)}
    catalog.while_asked = lambda: book.changed(card("a", 2, price=5))
    found = await book.cards(["a"])
    assert found.cards["a"].revision == 2


async def test_a_product_created_while_asked_for_is_not_taken_for_unknown(book: CardBook, catalog: FakeCatalog) -> None:
    catalog.while_asked = lambda: book.changed(card("a", 9))
    assert not (await book.cards(["a"])).cards["a"].gone


async def test_a_deleted_product_is_not_found_even_if_held(book: CardBook, catalog: FakeCatalog) -> None:
    catalog.held = {"a": card("a", 1)}
    await book.card("a")
    book.changed(Card.of_gone("a", 2))
    with pytest.raises(NotFound):
        await book.card("a")
    book.learn([card("a", 1)])  # an old list arrives late
    assert book.known("a") == Card.of_gone("a", 2)


async def test_hidden_and_expired_products_are_not_found(book: CardBook, catalog: FakeCatalog, clock: Clock) -> None:
    catalog.held = {
        "a": card("a", hidden=True),
        "b": card("b", expires_s=clock.now + 10),
        "c": card("c", sold_out=True),
    }
    with pytest.raises(NotFound):
        await book.card("a")
    assert (await book.card("b"))[0].product_id == "b"
    clock.now += 10
    with pytest.raises(NotFound):
        await book.card("b")
    assert (await book.card("c"))[0].sold_out


async def test_reading_an_unchanged_card_again_keeps_the_same_object(
    book: CardBook, catalog: FakeCatalog, clock: Clock
) -> None:
    catalog.held = {"a": card("a", 1)}
    first, _ = await book.card("a")
    clock.now += 301
    catalog.held = {"a": card("a", 1)}
    second, _ = await book.card("a")
    assert second is first
