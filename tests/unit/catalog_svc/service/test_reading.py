from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog_svc.adapters.memory_product_repository import MemoryProductRepository
from catalog_svc.domain.errors import CursorAhead, PageTokenInvalid
from catalog_svc.domain.model import Category
from catalog_svc.service.get_products import batch_get_products, get_product
from catalog_svc.service.list_categories import list_categories
from catalog_svc.service.list_changes import list_changes
from catalog_svc.service.list_products import list_products
from catalog_svc.service.overview import overview
from catalog_svc.service.page_tokens import decode_token, encode_token
from catalog_svc.service.search_products import search_products
from meshkit.errors import InvalidArgument, NotFound
from tests.support.catalog import NOON, product


@pytest.fixture
def repository() -> MemoryProductRepository:
    made = MemoryProductRepository()
    made.upsert([product(f"p{n:03}", f"Mug {n}") for n in range(120)], NOON)
    return made


def listed(repository, *, filter="", page_size=0, page_token="", include_hidden=False):
    return list_products(
        repository,
        filter=filter,
        page_size=page_size,
        page_token=page_token,
        include_hidden=include_hidden,
        now=NOON,
    )


def test_an_unknown_product_is_not_found(repository):
    with pytest.raises(NotFound) as caught:
        get_product(repository, "nope")
    assert caught.value.reason == "PRODUCT_NOT_FOUND"


@pytest.mark.parametrize("product_id", ["", "x" * 129, "a\x00"])
def test_an_impossible_id_is_refused(repository, product_id):
    with pytest.raises(InvalidArgument):
        get_product(repository, product_id)


def test_a_batch_answers_in_the_order_asked_and_each_once(repository):
    found, unknown = batch_get_products(repository, ["p002", "x", "p001", "p002", "", "y" * 200, "x"])
    assert [p.product_id for p in found] == ["p002", "p001"]
    assert unknown == ["x", "", "y" * 200]


def test_a_batch_is_bounded(repository):
    batch_get_products(repository, ["x"] * 1_000)
    with pytest.raises(InvalidArgument):
        batch_get_products(repository, [str(n) for n in range(1_001)])


def test_a_list_has_fifty_products_unless_asked_otherwise(repository):
    assert len(listed(repository).products) == 50
    assert len(listed(repository, page_size=7).products) == 7
    assert len(listed(repository, page_size=10**9).products) == 120


def test_a_negative_size_is_refused(repository):
    with pytest.raises(InvalidArgument) as caught:
        listed(repository, page_size=-1)
    assert caught.value.violations[0].field == "page_size"


def test_pages_follow_each_other_by_token(repository):
    first = listed(repository, page_size=100)
    second = listed(repository, page_size=100, page_token=first.next_page_token)
    assert [p.product_id for p in second.products] == [f"p{n:03}" for n in range(100, 120)]
    assert second.next_page_token == ""


def test_a_page_is_stable_while_products_before_it_come_and_go(repository):
    first = listed(repository, page_size=10)
    repository.delete(["p003", "p005"], NOON)
    repository.upsert([product("p0005")], NOON)
    second = listed(repository, page_size=10, page_token=first.next_page_token)
    assert [p.product_id for p in second.products] == [f"p{n:03}" for n in range(10, 20)]


@pytest.mark.parametrize("change", [{"filter": "title:mug"}, {"include_hidden": True}])
def test_a_token_of_another_list_is_refused(repository, change):
    token = listed(repository, page_size=5).next_page_token
    with pytest.raises(PageTokenInvalid) as caught:
        listed(repository, page_size=5, page_token=token, **change)
    assert caught.value.reason == "PAGE_TOKEN"


def test_a_token_survives_another_way_to_write_the_filter(repository):
    token = listed(repository, page_size=5, filter="title:mug AND in_stock").next_page_token
    assert listed(repository, page_size=9, filter="title:mug   in_stock=true", page_token=token).products


@given(st.text(), st.text(max_size=500))
def test_a_broken_token_is_refused(scope, token):
    try:
        decode_token(token, scope.encode("utf-8", "replace").decode())
    except PageTokenInvalid:
        return
    raise AssertionError("accepted")


@given(st.text(alphabet=st.characters(exclude_categories=["Cc", "Cs"]), min_size=1, max_size=32))
def test_a_token_gives_back_its_place(product_id):
    token = encode_token(product_id, "scope")
    assert decode_token(token, "scope") == product_id
    assert token.isascii()


def test_a_wrong_filter_points_at_its_column(repository):
    with pytest.raises(InvalidArgument) as caught:
        listed(repository, filter="price < ")
    assert caught.value.reason == "FILTER_SYNTAX"
    assert "column" in caught.value.message


@pytest.mark.parametrize("query", ["", "   ", "x" * 501])
def test_a_query_must_say_something(repository, query):
    with pytest.raises(InvalidArgument) as caught:
        search_products(repository, query=query, filter="", limit=0, now=NOON)
    assert caught.value.violations[0].field == "query"


@pytest.mark.parametrize(("limit", "wanted"), [(0, 10), (1, 1), (100, 100), (10**9, 100)])
def test_search_limits_are_read_with_sense(repository, limit, wanted):
    assert len(search_products(repository, query="mug", filter="", limit=limit, now=NOON)) == wanted


def test_a_query_without_a_word_finds_nothing(repository):
    assert search_products(repository, query="?!", filter="", limit=5, now=NOON) == []


def test_a_product_counts_once_in_every_category_above_its_own():
    repository = MemoryProductRepository()
    repository.upsert(
        [
            product("a", categories=("Home > Kitchen", "Home > Light", "Gifts")),
            product("b", categories=("Home > Kitchen",)),
            product("c", categories=("Homeware",)),
            product("d", categories=("Home",), hidden=True),
        ],
        NOON,
    )
    assert list_categories(repository, "", NOON) == [
        Category("Gifts", 1),
        Category("Home", 2),
        Category("Home > Kitchen", 2),
        Category("Home > Light", 1),
        Category("Homeware", 1),
    ]
    assert [c.path for c in list_categories(repository, "Home", NOON)] == ["Home", "Home > Kitchen", "Home > Light"]
    assert [c.path for c in list_categories(repository, "Home>Kitchen", NOON)] == ["Home > Kitchen"]
    assert list_categories(repository, "Nowhere", NOON) == []


@pytest.mark.parametrize("parent", [">", "x" * 501])
def test_an_impossible_parent_is_refused(repository, parent):
    with pytest.raises(InvalidArgument):
        list_categories(repository, parent, NOON)


def test_changes_are_bounded(repository):
    assert len(list_changes(repository, 0, 0).changes) == 120
    assert len(list_changes(repository, 0, 10).changes) == 10
    assert not list_changes(repository, 120, 10).changes
    for wrong in ({"after_revision": -1, "page_size": 1}, {"after_revision": 0, "page_size": -1}):
        with pytest.raises(InvalidArgument):
            list_changes(repository, **wrong)


def test_a_cursor_of_another_store_is_told_to_start_again(repository):
    with pytest.raises(CursorAhead) as caught:
        list_changes(repository, 121, 10)
    assert caught.value.reason == "CURSOR_AHEAD"


def test_the_overview_counts_at_a_moment(repository):
    repository.upsert([product("late", categories=("A > B",), expires_at=NOON + timedelta(days=1))], NOON)
    seen = overview(repository, NOON)
    assert (seen.counts.products, seen.counts.visible, seen.categories) == (121, 121, 2)
    assert seen.latest[0].product_id == "late"
    assert overview(repository, NOON + timedelta(days=1)).counts.expired == 1
