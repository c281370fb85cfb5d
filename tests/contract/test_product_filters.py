"""Every store on a server lets through what the predicate lets through; SQLite is held to it by a unit test."""

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from catalog_svc.domain.filter_record import record_of
from catalog_svc.domain.ports import ProductRepository
from meshkit.filtering import And, Not, predicate
from tests.support.catalog import NOON
from tests.support.catalog_stores import SERVERS, new_stores
from tests.support.filters import as_shop, expressions, products


@pytest.fixture(params=SERVERS)
def repository(request, tmp_path) -> Iterator[ProductRepository]:
    with new_stores(request.param, request, tmp_path) as stores:
        yield stores.products


def passing(repository, expression) -> list[str]:
    page = repository.page(expression, visible_at=None, after_id="", limit=100)
    return [p.product_id for p in page.products]


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(products, min_size=8, max_size=10), st.lists(expressions, min_size=20, max_size=30))
def test_filters_agree_with_the_predicate(repository, drawn, filters):
    shop = as_shop(drawn)
    repository.delete([f"Red-{n}" for n in range(10)], NOON)
    repository.upsert(shop, NOON)
    for expression in filters:
        wanted = sorted(p.product_id for p in shop if predicate(expression)(record_of(p)))
        assert passing(repository, expression) == wanted, expression


@settings(max_examples=1, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(products, min_size=8, max_size=8), expressions, expressions)
def test_filters_may_be_as_deep_as_the_grammar_lets_them(repository, drawn, expression, shallow):
    shop = as_shop(drawn)
    repository.upsert(shop, NOON)
    for _ in range(50):
        expression = And((Not(expression), shallow))
    wanted = sorted(p.product_id for p in shop if predicate(expression)(record_of(p)))
    assert passing(repository, expression) == wanted
