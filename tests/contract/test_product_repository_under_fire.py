"""Every store of the catalog with two replicas on it, with writers that die between two steps, and with itself away."""

import json
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from catalog_svc.adapters import mongo_commits, sql_writes
from catalog_svc.adapters.mongo_commits import MongoCommits
from catalog_svc.domain.model import Written
from catalog_svc.service.relay_changes import relay_changes
from catalog_svc.settings import CatalogSettings
from meshkit.broker.memory_broker import MemoryBroker
from meshkit.errors import Unavailable
from meshkit.topics import PRODUCT_CHANGED
from tests.support.catalog import LATER, NOON, product
from tests.support.catalog_stores import SERVERS, StorePlace, store_place


@pytest.fixture(params=["sqlite", *SERVERS])
def place(request, tmp_path) -> StorePlace:
    return store_place(request.param, request, tmp_path)


@pytest.fixture
def replicas(place) -> Iterator[list]:
    with place.replica() as one, place.replica() as other:
        yield [one, other]


def feed(products, cursor: int = 0) -> list:
    """The whole change feed, in small pages."""
    seen, more = [], True
    while more:
        found = products.changes(cursor, 7)
        seen += found.changes
        more = found.has_more
        cursor = seen[-1].revision if seen else cursor
    return seen


# -- two replicas


def test_two_replicas_number_their_changes_without_gap_and_lose_none(replicas):
    done = threading.Event()
    followed: list[int] = []

    def follow(products) -> None:
        last_round = False
        while not last_round:
            last_round = done.is_set()
            followed.extend(c.revision for c in feed(products, followed[-1] if followed else 0))

    def write(writer: int) -> list[Written]:
        products = replicas[writer % 2].products
        return [products.upsert([product(f"{writer}-{n}-{i}") for i in range(3)], NOON) for n in range(4)]

    with ThreadPoolExecutor(5) as pool:
        reader = pool.submit(follow, replicas[1].products)
        written = [w for each in pool.map(write, range(4)) for w in each]
        done.set()
        reader.result(60)
    assert sum(w.created for w in written) == 48
    assert sorted(w.revision for w in written) == list(range(3, 49, 3))
    assert followed == list(range(1, 49))


def test_the_last_of_many_writes_of_one_product_is_what_stays(replicas):
    def write(writer: int) -> list[tuple[int, str]]:
        products = replicas[writer % 2].products
        titles = [f"title {writer} {n}" for n in range(6)]
        return [(products.upsert([product("a", title)], NOON).revision, title) for title in titles]

    with ThreadPoolExecutor(4) as pool:
        history = sorted(pair for each in pool.map(write, range(4)) for pair in each)
    assert [revision for revision, _ in history] == list(range(1, 25))
    for stores in replicas:
        stored = stores.products.get(["a"])["a"]
        assert (stored.revision, stored.title) == history[-1]


def test_pages_hold_every_lasting_product_once_while_others_come_and_go(replicas):
    lasting = [f"p{n:03}" for n in range(60)]
    products = replicas[0].products
    products.upsert([product(i) for i in lasting], NOON)
    done = threading.Event()

    def disturb() -> None:
        other, n = replicas[1].products, 0
        while not done.is_set():
            n += 1
            other.upsert([product("p010", f"title {n}"), product(f"p{n % 60:03}x")], NOON)
            other.delete([f"p{(n - 3) % 60:03}x"], NOON)

    with ThreadPoolExecutor(1) as pool:
        disturbing = pool.submit(disturb)
        try:
            for _ in range(3):
                listed, after = [], ""
                while after is not None:
                    page = products.page(None, visible_at=NOON, after_id=after, limit=7)
                    listed += [p.product_id for p in page.products]
                    after = page.resume_after
                assert listed == sorted(set(listed))
                assert [i for i in listed if not i.endswith("x")] == lasting
        finally:
            done.set()
            disturbing.result(60)


def test_two_relays_hand_over_every_change(replicas):
    broker, done = MemoryBroker(), threading.Event()

    def relay(stores) -> None:
        last_round = False
        while not last_round:
            last_round = done.is_set()
            while relay_changes(stores.products, stores.cursor, broker):
                pass

    with ThreadPoolExecutor(2) as pool:
        relaying = [pool.submit(relay, stores) for stores in replicas]
        for n in range(20):
            replicas[n % 2].products.upsert([product(f"p{n % 9}", f"title {n}")], NOON)
        done.set()
        for each in relaying:
            each.result(60)
    announced: dict[str, int] = {}
    for delivery in broker.receive(PRODUCT_CHANGED, limit=10_000, wait_s=0):
        body = json.loads(delivery.message.body)
        for product_id in body["product_ids"]:
            announced[product_id] = max(announced.get(product_id, 0), body["revision"])
    last = {c.product_id: c.revision for c in feed(replicas[0].products)}
    assert announced.keys() == last.keys()
    assert all(announced[product_id] >= revision for product_id, revision in last.items())
    assert replicas[0].cursor.read() == replicas[1].cursor.read() == 20


# -- a writer dies


class Killed(BaseException):
    """The process ended here."""


def killed(*_: object, **__: object) -> None:
    raise Killed


def die_before_products(monkeypatch) -> None:
    monkeypatch.setattr(MongoCommits, "_apply", killed)
    monkeypatch.setattr(sql_writes, "execute_many", killed)


def die_amid_products(monkeypatch) -> None:
    apply = MongoCommits._apply

    def half(self, documents) -> None:
        apply(self, documents[: len(documents) // 2])
        raise Killed

    monkeypatch.setattr(MongoCommits, "_apply", half)
    monkeypatch.setattr(sql_writes, "document_of", killed)


def die_after_products(monkeypatch) -> None:
    apply = MongoCommits._apply

    def whole(self, documents) -> None:
        apply(self, documents)
        raise Killed

    monkeypatch.setattr(MongoCommits, "_apply", whole)
    monkeypatch.setattr(sql_writes, "_set_revision", killed)


@pytest.mark.parametrize("die", [die_before_products, die_amid_products, die_after_products])
def test_what_a_dead_writer_left_is_there_whole_or_not_at_all(place, monkeypatch, die):
    monkeypatch.setattr(mongo_commits, "HELP_AFTER_S", 0.05)
    with place.replica() as survivor:
        survivor.products.upsert([product("a", "old a"), product("b", "old b"), product("c")], NOON)
        with place.replica() as victim, monkeypatch.context() as patched:
            die(patched)
            with pytest.raises(Killed):
                victim.products.upsert([product("a", "new a"), product("b", "new b"), product("d", "new d")], LATER)
        assert [c.revision for c in feed(survivor.products)] in ([1, 2, 3], [3], [1, 3], [2, 3])  # nothing half done
        assert survivor.products.revision() == 3
        written = survivor.products.upsert([product("e")], LATER)
        titles = {p.product_id: p.title for p in survivor.products.get(list("abcde")).values()}
        old = {"a": "old a", "b": "old b", "c": "c", "e": "e"}
        if written.revision == 4:  # a transaction was rolled back
            assert titles == old
        else:  # a commit was finished
            assert written.revision == 7
            assert titles == {**old, "a": "new a", "b": "new b", "d": "new d"}
        revisions = [c.revision for c in feed(survivor.products)]
        assert revisions == sorted(set(revisions))
        assert revisions[-1] == written.revision
        assert {c.product_id for c in feed(survivor.products)} == set(titles)


def test_a_relay_finishes_what_the_only_writer_left(place, monkeypatch):
    monkeypatch.setattr(mongo_commits, "HELP_AFTER_S", 0.0)
    with place.replica() as stores:
        with monkeypatch.context() as patched:
            die_before_products(patched)
            with pytest.raises(Killed):
                stores.products.upsert([product("a")], NOON)
        broker = MemoryBroker()
        relayed = sum(relay_changes(stores.products, stores.cursor, broker) for _ in range(4))
        assert relayed == len(stores.products.get(["a"])) == stores.products.revision()


# -- the store is away

HASTY = CatalogSettings(
    catalog_mongo_timeout_s=1.5,
    database_connect_timeout_s=1.5,
    database_pool_wait_s=1.5,
    database_statement_timeout_s=1.5,
)


def refuses(products) -> None:
    for ask in (lambda: products.get(["a"]), lambda: products.upsert([product("b")], NOON), products.ping):
        began = time.monotonic()
        with pytest.raises(Unavailable) as caught:
            ask()
        assert caught.value.part == "store"
        assert time.monotonic() - began < 15


def heals(products) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            products.upsert([product("b")], LATER)
            break
        except Unavailable:
            assert time.monotonic() < deadline
            time.sleep(0.1)
    assert products.get(["a", "b"]).keys() == {"a", "b"}
    assert [c.product_id for c in feed(products)] == ["a", "b"]


@pytest.mark.parametrize("trouble", ["kill", "freeze"])
@pytest.mark.parametrize("kind", SERVERS)
def test_a_store_that_is_away_is_unavailable_in_time_and_back_without_a_restart(request, tmp_path, kind, trouble):
    server_place = store_place(kind, request, tmp_path)
    server = server_place.server
    with server_place.replica(HASTY) as stores:
        stores.products.upsert([product("a")], NOON)
        if trouble == "kill":
            server.kill()
        else:
            server.freeze()
        try:
            refuses(stores.products)
        finally:
            if trouble == "kill":
                server.start()
            else:
                server.thaw()
        heals(stores.products)
