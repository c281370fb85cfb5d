"""One suite over every adapter of ProductRepository: memory, SQLite, PostgreSQL, MongoDB's wire protocol."""

import math
import random
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest

from catalog_svc.adapters.memory_product_repository import MemoryProductRepository
from catalog_svc.domain import word_scores
from catalog_svc.domain.filter_record import record_of
from catalog_svc.domain.model import Availability, CatalogCounts, Deleted, Product, Written
from catalog_svc.domain.ports import ProductRepository
from catalog_svc.domain.words import document_of, query_words
from meshkit.filtering import PRODUCT_FIELDS, parse, predicate
from tests.support.catalog import FULL, LATER, NOON, product
from tests.support.catalog_stores import KINDS, new_stores


@pytest.fixture(params=KINDS)
def repository(request, tmp_path) -> Iterator[ProductRepository]:
    with new_stores(request.param, request, tmp_path) as stores:
        yield stores.products


def ids(products) -> list[str]:
    return [p.product_id for p in products]


def page(repository, filter="", *, visible_at=None, after_id="", limit=100):
    return repository.page(parse(filter, PRODUCT_FIELDS), visible_at=visible_at, after_id=after_id, limit=limit)


def search(repository, query, filter="", *, limit=10, at=NOON) -> list[str]:
    hits = repository.search(query_words(query), parse(filter, PRODUCT_FIELDS), visible_at=at, limit=limit)
    scores = [hit.score for hit in hits]
    assert scores == sorted(scores, reverse=True)
    return ids(hit.product for hit in hits)


# -- writing and reading back


def test_a_new_store_is_empty(repository):
    repository.prepare()
    repository.ping()
    assert repository.revision() == 0
    assert repository.get(["x"]) == {}
    assert repository.get([]) == {}
    assert page(repository).products == []
    assert page(repository).resume_after is None
    assert search(repository, "mug") == []
    assert repository.category_counts(NOON) == {}
    assert not repository.changes(0, 10).changes
    assert repository.latest_changes(5) == []
    assert repository.counts(NOON) == CatalogCounts(0, 0, 0, 0, 0, 0)
    assert repository.delete(["x", "y"], NOON) == Deleted(0, ["x", "y"], 0)


def test_a_product_comes_back_as_it_was_written(repository):
    assert repository.upsert([FULL], NOON) == Written(created=1, revision=1)
    assert repository.get(["mug-1"]) == {"mug-1": replace(FULL, updated_at=NOON, revision=1)}


@pytest.mark.parametrize("product_id", ["a b", "ключ/1", "日本", "%_'\"\\", "💥" * 32, "A", "a", ".", "x\u2028"])
def test_odd_ids_are_kept_apart_and_found(repository, product_id):
    others = [product(f"{product_id[:20]}x"), product(product_id.swapcase() + "y")]
    repository.upsert([product(product_id, "it"), *others], NOON)
    assert repository.get([product_id])[product_id].title == "it"
    assert product_id in ids(page(repository).products)
    assert repository.delete([product_id], NOON).deleted == 1
    assert repository.get([product_id]) == {}


def test_created_updated_and_unchanged_are_counted(repository):
    repository.upsert([product("a"), product("b"), product("c")], NOON)
    written = repository.upsert([product("a"), product("b", "changed"), product("d")], LATER)
    assert written == Written(created=1, updated=1, unchanged=1, revision=5)


def test_the_last_of_a_repeated_id_counts(repository):
    assert repository.upsert([product("a", "first"), product("a", "last")], NOON) == Written(1, 0, 0, 1)
    assert repository.get(["a"])["a"].title == "last"


def test_an_unchanged_product_keeps_its_revision_and_time(repository):
    repository.upsert([FULL], NOON)
    assert repository.upsert([FULL], LATER) == Written(unchanged=1, revision=1)
    assert repository.get(["mug-1"])["mug-1"].updated_at == NOON


@pytest.mark.parametrize(
    "change",
    [
        {"title": "x"},
        {"description": ""},
        {"categories": ()},
        {"categories": ("Gifts", "Home > Kitchen > Mugs")},
        {"brand": ""},
        {"price": 20.0},
        {"sale_price": None},
        {"price": None, "sale_price": None, "currency": ""},
        {"currency": "USD"},
        {"availability": Availability.IN_STOCK},
        {"group_id": ""},
        {"image_url": ""},
        {"url": ""},
        {"gtin": ""},
        {"attributes": {"color": "blue"}},
        {"tags": ()},
        {"expires_at": None},
        {"created_at": NOON},
        {"hidden": False},
    ],
    ids=lambda change: "-".join(change),
)
def test_every_field_counts_as_a_change(repository, change):
    repository.upsert([FULL], NOON)
    changed = replace(FULL, **change)
    assert repository.upsert([changed], LATER) == Written(updated=1, revision=2)
    assert repository.get(["mug-1"])["mug-1"] == replace(changed, updated_at=LATER, revision=2)


def test_the_order_of_attributes_is_no_change(repository):
    repository.upsert([product("a", attributes={"x": "1", "y": "2"})], NOON)
    assert repository.upsert([product("a", attributes={"y": "2", "x": "1"})], LATER).unchanged == 1


def test_a_product_without_created_at_keeps_the_time_of_its_first_write(repository):
    repository.upsert([product("a")], NOON)
    repository.upsert([product("a", "new title")], LATER)
    assert repository.get(["a"])["a"].created_at == NOON


def test_a_large_batch_is_stored_at_once(repository):
    many = [product(f"p{n:04}", f"thing number {n}") for n in range(1_000)]
    assert repository.upsert(many, NOON).created == 1_000
    assert len(repository.get([p.product_id for p in many])) == 1_000


# -- deleting


def test_a_deleted_product_is_gone_everywhere(repository):
    repository.upsert([product("a", "Blue mug", categories=("Home",)), product("b")], NOON)
    assert repository.delete(["a", "zz", "a"], LATER) == Deleted(1, ["zz"], 3)
    assert repository.get(["a"]) == {}
    assert ids(page(repository).products) == ["b"]
    assert search(repository, "mug") == []
    assert repository.category_counts(NOON) == {}
    assert repository.counts(NOON).products == 1


def test_a_deleted_product_leaves_a_tombstone(repository):
    repository.upsert([product("a"), product("b")], NOON)
    repository.delete(["a"], LATER)
    changes = repository.changes(0, 10).changes
    assert [(c.revision, c.product_id, c.product is None) for c in changes] == [(2, "b", False), (3, "a", True)]
    assert changes[1].changed_at == LATER


def test_deleting_twice_changes_nothing(repository):
    repository.upsert([product("a")], NOON)
    repository.delete(["a"], NOON)
    assert repository.delete(["a"], NOON) == Deleted(0, ["a"], 2)


def test_a_deleted_product_can_be_created_again(repository):
    repository.upsert([product("a", "Old lamp")], NOON)
    repository.delete(["a"], NOON)
    assert repository.upsert([product("a", "New mug")], LATER) == Written(created=1, revision=3)
    again = repository.get(["a"])["a"]
    assert (again.title, again.created_at, again.revision) == ("New mug", LATER, 3)
    assert search(repository, "mug") == ["a"]
    assert search(repository, "lamp") == []


# -- the change feed


def test_the_feed_holds_each_product_once_at_its_last_change(repository):
    repository.upsert([product("a"), product("b"), product("c")], NOON)
    repository.upsert([product("a", "again")], LATER)
    changes = repository.changes(0, 10).changes
    assert [(c.revision, c.product_id) for c in changes] == [(2, "b"), (3, "c"), (4, "a")]
    assert changes[-1].product.title == "again"
    assert repository.changed_ids(2, 10) == [(3, "c"), (4, "a")]


def test_the_feed_is_read_page_by_page(repository):
    repository.upsert([product(f"p{n}") for n in range(7)], NOON)
    seen, cursor, more = [], 0, True
    while more:
        found = repository.changes(cursor, 3)
        assert len(found.changes) <= 3
        seen += [c.product_id for c in found.changes]
        cursor, more = found.changes[-1].revision, found.has_more
    assert seen == [f"p{n}" for n in range(7)]
    assert repository.changes(cursor, 3).changes == []
    assert repository.changes(10**12, 3).has_more is False


def test_latest_changes_come_newest_first(repository):
    repository.upsert([product("a"), product("b")], NOON)
    repository.delete(["a"], LATER)
    assert [c.product_id for c in repository.latest_changes(5)] == ["a", "b"]
    assert [c.product_id for c in repository.latest_changes(1)] == ["a"]


def test_a_reader_never_misses_a_change_of_writers_at_the_same_time(repository):
    done = threading.Event()
    seen: list[int] = []

    def follow() -> None:
        cursor = 0
        while True:
            last_round = done.is_set()
            for change in repository.changes(cursor, 50).changes:
                cursor = change.revision
                seen.append(cursor)
            if last_round and not repository.changes(cursor, 1).changes:
                return

    def write(worker: int) -> int:
        return sum(repository.upsert([product(f"{worker}-{n}-{i}") for i in range(5)], NOON).created for n in range(10))

    with ThreadPoolExecutor(5) as pool:
        reader = pool.submit(follow)
        created = sum(pool.map(write, range(4)))
        done.set()
        reader.result(60)
    assert created == 200
    assert seen == list(range(1, 201))


# -- listing


def test_products_are_listed_by_id_in_byte_order(repository):
    wanted = ["A", "B", "Z", "a", "b", "é", "я", "漢", "💥"]
    repository.upsert([product(i) for i in reversed(wanted)], NOON)
    assert ids(page(repository).products) == wanted


def test_pages_meet_without_gap_or_repeat(repository):
    repository.upsert([product(f"p{n:03}", price=float(n), currency="EUR") for n in range(50)], NOON)
    seen, after = [], ""
    while True:
        found = page(repository, "price >= 10", after_id=after, limit=7)
        seen += ids(found.products)
        if found.resume_after is None:
            break
        after = found.resume_after
    assert seen == [f"p{n:03}" for n in range(10, 50)]


def test_a_page_that_ends_the_list_says_so(repository):
    repository.upsert([product("a"), product("b")], NOON)
    assert page(repository, limit=2).resume_after is None
    assert page(repository, limit=1).resume_after == "a"


def test_hidden_and_expired_products_are_left_out_when_asked(repository):
    repository.upsert(
        [
            product("hidden", hidden=True),
            product("expired", expires_at=NOON),
            product("expires", expires_at=LATER),
            product("sold-out", availability=Availability.OUT_OF_STOCK),
        ],
        NOON,
    )
    assert ids(page(repository, visible_at=NOON).products) == ["expires", "sold-out"]
    assert ids(page(repository, visible_at=NOON - timedelta(microseconds=1)).products) == [
        "expired",
        "expires",
        "sold-out",
    ]
    assert len(page(repository).products) == 4


@pytest.mark.parametrize(
    ("filter", "wanted"),
    [
        ("price < 10", ["sale"]),
        ("price >= 10", ["lamp"]),
        ("NOT price < 10", ["bare", "lamp"]),
        ('category:"kitchen"', ["sale"]),
        ('category = "Home > Kitchen"', ["sale"]),
        ('category = "Home"', []),
        ('category:"Home"', ["lamp", "sale"]),
        ("brand = acme", ["sale"]),
        ("brand != acme", ["lamp"]),
        ("NOT brand = acme", ["bare", "lamp"]),
        ('brand = "a*"', ["sale"]),
        ('title:"red mug"', ["sale"]),
        ('title:"mug red"', []),
        ("description:dishwasher", ["sale"]),
        ("NOT description:dishwasher", ["bare", "lamp"]),
        ("tags:new", ["sale"]),
        ("attributes.color = RED", ["sale"]),
        ("attributes.Color = red", []),
        ("attributes:color", ["lamp", "sale"]),
        ('attributes.color = "*d"', ["sale"]),
        ("in_stock", ["bare", "sale"]),
        ("availability = out_of_stock", ["lamp"]),
        ('created_at > "2026-05-01T11:00:00Z"', ["bare", "lamp", "sale"]),
        ("brand = acme OR attributes.color = blue", ["lamp", "sale"]),
    ],
)
def test_filters_pick_products(repository, filter, wanted):
    repository.upsert(
        [
            product(
                "sale",
                "A RED mug",
                price=12.0,
                sale_price=9.0,
                currency="EUR",
                brand="ACME",
                categories=("Home > Kitchen",),
                tags=("New",),
                attributes={"color": "Red"},
                description="Dishwasher-safe",
            ),
            product(
                "lamp",
                price=30.0,
                currency="EUR",
                brand="Lux",
                categories=("Home > Light",),
                attributes={"color": "blue"},
                availability=Availability.OUT_OF_STOCK,
            ),
            product("bare"),
        ],
        NOON,
    )
    assert ids(page(repository, filter).products) == wanted


# -- word search


@pytest.mark.parametrize("query", ["mug", "MUGS", "müg", "the mug", "mug, red!"])
def test_words_match_without_case_accents_or_plural(repository, query):
    repository.upsert([product("a", "Red Mug"), product("b", "Lamp")], NOON)
    assert search(repository, query) == ["a"]


def test_products_with_every_word_come_first(repository):
    repository.upsert(
        [
            product("one", "Red red red mug"),
            product("both", "A lamp with a rather long name", description="fit for a red room"),
            product("other", "Lamp"),
        ],
        NOON,
    )
    found = search(repository, "red lamp")
    assert found[0] == "both"
    assert set(found) == {"both", "one", "other"}
    assert search(repository, "red lamp", limit=1) == ["both"]


def test_a_title_counts_more_than_a_description(repository):
    repository.upsert(
        [
            product("c-described", "Thing", description="a mug"),
            product("b-branded", "Thing", brand="Mug"),
            product("a-titled", "Mug"),
            *(product(f"other{n}") for n in range(10)),
        ],
        NOON,
    )
    assert search(repository, "mug") == ["a-titled", "b-branded", "c-described"]


def test_a_word_of_every_product_finds_the_visible_ones(repository, monkeypatch):
    monkeypatch.setattr(word_scores, "COMMON_PRODUCTS", 10)
    monkeypatch.setattr(word_scores, "RANKED_PRODUCTS", 20)
    many = [product(f"p{n:02}", "Mug", hidden=n < 30, price=float(n), currency="EUR") for n in range(40)]
    repository.upsert([*many, product("x", "Mug red"), product("y", "Red lamp")], NOON)
    assert len(search(repository, "mug", limit=50)) == 11
    assert search(repository, "mug", "price = 35") == ["p35"]
    found = search(repository, "mug red", limit=50)
    assert found[0] == "x"
    assert "y" in found
    assert search(repository, "mug unheard", limit=50) == search(repository, "mug", limit=50)


def test_scores_are_those_of_the_formula(repository):
    repository.upsert(
        [
            product("a", "Red mug"),
            product("b", "Mug", brand="Red"),
            product("c", "Mug, mug, mug", description="A red one"),
            product("d", "Red lamp"),
            product("e", "?!", tags=("mug",)),
            product("f", "Lamp"),
            product("hidden", "Blue mug", hidden=True),
            product("gone", "Red mug"),
        ],
        NOON,
    )
    repository.delete(["gone"], NOON)
    # One word: weight / (8 + words of the title) + 1,000.
    one = {"a": 1_000 + 9 / 10, "b": 1_000 + 5 / 9, "c": 1_000 + 1 / 11, "d": 1_000 + 9 / 10}
    assert scored(repository, "red") == [("a", one["a"]), ("d", one["d"]), ("b", one["b"]), ("c", one["c"])]
    # Of 7 products 4 are red and 5 are mugs: floor(16 log2(1 + 7/4)) is 23, floor(16 log2(1 + 7/5)) is 20.
    assert scored(repository, "mug red") == [
        ("a", 1_000 + (20 * 9 + 23 * 9) / (16 * 10)),
        ("b", 1_000 + (20 * 9 + 23 * 5) / (16 * 9)),
        ("c", 1_000 + (20 * 9 + 23 * 1) / (16 * 11)),
        ("d", 23 * 9 / (16 * 10)),
        ("e", 20 * 5 / (16 * 8)),
    ]


@pytest.mark.parametrize("common", [5_000, 12])
def test_every_store_has_the_same_order_and_scores(repository, monkeypatch, common):
    monkeypatch.setattr(word_scores, "COMMON_PRODUCTS", common)
    shop = made_shop(90)
    repository.upsert(shop, NOON)
    gone = [p.product_id for p in shop[::9]]
    repository.delete(gone, NOON)
    changed = [replace(p, title=f"{p.title} zinc", tags=("oak",)) for p in shop[1::9]]
    repository.upsert(changed, LATER)
    latest = {p.product_id: p for p in (*shop, *changed) if p.product_id not in gone}
    for query in (
        "oak",
        "oak lamp",
        "the oak lamp",
        "unheard zinc",
        "漢 tin zinc",
        "a bulb for the red oak lamp",
        "p7",
    ):
        for filter in ("", "price < 30", 'description:"the"'):
            wanted = oracle(list(latest.values()), query, filter, common)
            assert len(wanted) > 4 or query == "p7", (query, filter)
            for limit in (100, 3):
                assert scored(repository, query, filter, limit) == wanted[:limit], (query, filter, limit)


def scored(repository, query, filter="", limit=100) -> list[tuple[str, float]]:
    hits = repository.search(query_words(query), parse(filter, PRODUCT_FIELDS), visible_at=NOON, limit=limit)
    return [(hit.product.product_id, hit.score) for hit in hits]


def made_shop(count: int) -> list[Product]:
    dice = random.Random(7)
    words = ["the", "a", "for", "lamp", "lamps", "oak", "red", "Zinc", "tin", "bulb", "漢字", "Éclair"]

    def text(most: int) -> str:
        return " ".join(dice.choices(words, weights=range(len(words), 0, -1), k=dice.randint(0, most)))

    long = [product("long", "oak " * 70 + "lamp"), product("longer", "漢" * 300, tags=("漢", "oak"))]
    return long + [
        product(
            f"p{n}",
            text(5) or "?",
            brand=text(1),
            tags=tuple(filter(None, [text(1), text(2)])),
            description=text(9),
            price=float(dice.randint(1, 60)),
            currency="EUR",
            hidden=dice.random() < 0.1,
            expires_at=NOON if dice.random() < 0.1 else None,
        )
        for n in range(count)
    ]


def oracle(products: list[Product], query: str, filter: str, common: int) -> list[tuple[str, float]]:
    """`domain.word_scores` read aloud."""
    words = query_words(query)
    fields = {p.product_id: document_of(p) for p in products}
    anywhere = {key: {*d.title, *d.names, *d.description} for key, d in fields.items()}
    having = {word: sum(word in there for there in anywhere.values()) for word in words}
    most, rarity = common + 1, dict.fromkeys(words, 16)
    if len(words) > 1:
        total = min(len(products), most)
        rarity = {w: math.floor(16 * math.log2(1 + total / min(max(n, 1), most))) for w, n in having.items()}
    telling = [w for w in words if 0 < having[w] <= common] or words
    passes = predicate(parse(filter, PRODUCT_FIELDS))
    found = []
    for key in (p.product_id for p in products if p.is_visible(NOON) and passes(record_of(p))):
        title, names, there = fields[key].title, fields[key].names, anywhere[key]
        points = sum(rarity[w] * (8 * (w in title) + 4 * (w in names) + (w in there)) for w in words)
        score = points / (16 * (8 + min(len(title), 64)))
        if there.issuperset(words):
            found.append((key, 1_000 + score))
        elif not there.isdisjoint(telling):
            found.append((key, score))
    return sorted(found, key=lambda hit: (-hit[1], hit[0].encode()))


def test_equal_matches_come_by_id(repository):
    repository.upsert([product(i, "Mug") for i in ("c", "a", "b")], NOON)
    assert search(repository, "mug") == ["a", "b", "c"]
    assert search(repository, "mug", limit=2) == ["a", "b"]


def test_an_answer_of_long_products_ends_early(repository):
    if isinstance(repository, MemoryProductRepository):
        pytest.skip("answers from memory have no limit")
    long = "x" * 2_200_000
    repository.upsert([product("red", "Red mug", description=long), product("mug", description=long)], NOON)
    repository.upsert([product("short", "Mug in a box")], NOON)
    assert search(repository, "mug red") == ["red"]
    assert search(repository, "mug box red") == ["red", "short"]
    assert search(repository, "mug box") == ["short", "mug"]


@pytest.mark.parametrize("query", ["85123A", "4006381333931", "acme", "kitchen", "bestseller"])
def test_ids_codes_brands_categories_and_tags_are_found(repository, query):
    found = product(
        "85123A", "Lantern", gtin="4006381333931", brand="Acme", categories=("Home > Kitchen",), tags=("bestseller",)
    )
    repository.upsert([found, product("x", "Lantern")], NOON)
    assert search(repository, query) == ["85123A"]


def test_search_respects_filter_visibility_and_changes(repository):
    repository.upsert(
        [
            product("hidden", "Mug", hidden=True),
            product("expired", "Mug", expires_at=NOON),
            product("dear", "Mug", price=90.0, currency="EUR"),
            product("cheap", "Mug", price=5.0, currency="EUR", description="hand made"),
        ],
        NOON,
    )
    assert sorted(search(repository, "mug")) == ["cheap", "dear"]
    assert search(repository, "mug", "price < 10") == ["cheap"]
    assert search(repository, "mug", 'description:"hand made"') == ["cheap"]
    repository.upsert([product("cheap", "Cup", price=5.0, currency="EUR")], LATER)
    assert search(repository, "mug") == ["dear"]
    assert search(repository, "cup") == ["cheap"]
    assert search(repository, "hand") == []


@pytest.mark.parametrize(
    "query", ['"', "AND", "NOT OR", "mug*", "a:b", "'; --", "^mug", "{x}", "漢字", "\\", "( & | ! )"]
)
def test_odd_queries_are_only_words(repository, query):
    repository.upsert([product("a", "Mug"), product("b", "漢字 book")], NOON)
    if words := query_words(query):
        repository.search(words, None, visible_at=NOON, limit=10)


def test_scripts_without_spaces_are_found_by_character(repository):
    repository.upsert([product("a", "日本茶"), product("b", "中国茶")], NOON)
    assert search(repository, "日本") == ["a"]
    assert search(repository, "茶") == ["a", "b"]


def test_price_changes_leave_the_words_in_place(repository):
    repository.upsert([product("a", "Mug", price=1.0, currency="EUR")], NOON)
    repository.upsert([product("a", "Mug", price=2.0, currency="EUR")], LATER)
    assert search(repository, "mug") == ["a"]


# -- numbers


def test_categories_are_counted_for_visible_products(repository):
    repository.upsert(
        [
            product("a", categories=("Home > Kitchen", "Gifts")),
            product("b", categories=("Home > Kitchen", "Gifts")),
            product("c", categories=("Home",)),
            product("d", categories=("Home",), hidden=True),
            product("e"),
        ],
        NOON,
    )
    assert repository.category_counts(NOON) == {("Home > Kitchen", "Gifts"): 2, ("Home",): 1}


def test_the_catalog_is_counted(repository):
    repository.upsert(
        [
            product("plain"),
            product("hidden", hidden=True),
            product("both", hidden=True, expires_at=NOON),
            product("expired", expires_at=NOON),
            product("sold-out", availability=Availability.OUT_OF_STOCK),
            product("gone"),
        ],
        NOON,
    )
    repository.delete(["gone"], NOON)
    assert repository.counts(NOON) == CatalogCounts(
        products=5, visible=2, hidden=2, out_of_stock=1, expired=2, revision=7
    )


def test_large_products_make_short_pages_but_lose_nothing(repository):
    large = [
        Product(f"p{n:03}", "t", description="x" * 20_000, attributes={f"k{k}": "y" * 1_000 for k in range(100)})
        for n in range(60)
    ]
    repository.upsert(large, NOON)
    seen, cursor, more = 0, 0, True
    while more:
        found = repository.changes(cursor, 1_000)
        seen, cursor, more = seen + len(found.changes), found.changes[-1].revision, found.has_more
    assert seen == 60
    listed, after = [], ""
    while after is not None:
        some = page(repository, limit=1_000, after_id=after)
        listed += ids(some.products)
        after = some.resume_after
    assert listed == [p.product_id for p in large]


def test_revisions_go_on_after_one_that_was_given(repository):
    first = repository.upsert([product("a")], NOON).revision
    repository.advance(first + 100)
    repository.advance(first)
    assert repository.revision() == first + 100
    assert repository.upsert([product("b"), product("c")], NOON).revision == first + 102
    assert ids(repository.changes(first + 100, 10).changes) == ["b", "c"]
    assert ids(repository.changes(0, 10).changes) == ["a", "b", "c"]
