"""SQL conditions let through what the reference predicate lets through: exactly, or a little more if they say so."""

from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from catalog_svc.adapters.sql_filter import compile_filter
from catalog_svc.adapters.sql_product_repository import SqlProductRepository
from catalog_svc.adapters.sql_tables import product as table
from catalog_svc.domain.filter_record import record_of
from meshkit.filtering import PRODUCT_FIELDS, parse, predicate
from tests.support.catalog import NOON, database
from tests.support.filters import as_shop, expressions, products


@pytest.fixture
def repository(tmp_path) -> Iterator[SqlProductRepository]:
    with database(tmp_path) as opened:
        made = SqlProductRepository(opened)
        made.prepare()
        yield made


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(products, min_size=5, max_size=20), st.lists(expressions, min_size=20, max_size=60))
def test_sql_agrees_with_the_predicate(repository, drawn, filters):
    shop = as_shop(drawn)
    with repository._database.writing() as connection:
        connection.execute(sa.delete(table))
    repository.upsert(shop, NOON)
    with repository._database.reading() as connection:
        for expression in filters:
            compiled = compile_filter(expression)
            found = set(connection.execute(sa.select(table.c.product_id).where(compiled.condition)).scalars())
            wanted = {p.product_id for p in shop if predicate(expression)(record_of(p))}
            if compiled.exact:
                assert found == wanted, expression
            else:
                assert found >= wanted, expression
            page = repository.page(expression, visible_at=None, after_id="", limit=100)
            assert {p.product_id for p in page.products} == wanted, expression


@pytest.mark.parametrize(
    "filter",
    [
        "price < 5 AND in_stock",
        'category:"Kitchen" OR brand = "a*"',
        "NOT tags:new",
        'attributes.color = "red" AND attributes.size != L',
        "NOT (price < 5 OR expires_at < 2030-01-01)",
        "title:*",
    ],
)
def test_what_sql_can_say_is_said_exactly(filter):
    assert compile_filter(parse(filter, PRODUCT_FIELDS)).exact


@pytest.mark.parametrize("filter", ['title:"red mug"', "NOT description:red", 'attributes.color = "*red"'])
def test_the_rest_is_checked_again(filter):
    assert not compile_filter(parse(filter, PRODUCT_FIELDS)).exact
