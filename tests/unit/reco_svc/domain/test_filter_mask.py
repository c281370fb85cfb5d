"""The compiled mask answers what the reference predicate answers, for any products, filters and changes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from meshkit.filtering import PRODUCT_FIELDS, And, Comparison, Expression, FieldKind, Not, Or, parse, predicate
from reco_svc.domain.model import Availability, Product, ProductChange
from reco_svc.domain.product_table import ProductTable

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)

texts = st.sampled_from(
    ["", "mug", "Mug", "red mug", "RED  T-Light", "ﬁne straße", "!!!", " ", "Acme", "日本", "é", "e\u0301"]
)
values = st.sampled_from(["mug", "red", "red mug", "Straße", "acme", "*mug", "mu*", "*e*", "日本", "É", "t light"])
paths = st.sampled_from(["Home > Kitchen > Knives", "home>KITCHEN", "Gifts", "Kitchen", "Home", "> ", ""])
moments = st.sampled_from([NOON, NOON + timedelta(microseconds=1), NOON - timedelta(days=1)])
prices = st.sampled_from([0.0, 0.1, 0.3, 19.99, 20.0, 1e12])


def products(product_id: str) -> st.SearchStrategy[Product]:
    return st.builds(
        Product,
        product_id=st.just(product_id),
        title=texts,
        description=texts,
        categories=st.lists(paths, max_size=3).map(tuple),
        brand=texts,
        price=prices | st.none(),
        currency=st.sampled_from(["", "EUR", "eur"]),
        availability=st.sampled_from(Availability),
        group_id=texts,
        gtin=st.sampled_from(["", "4006381333931"]),
        attributes=st.dictionaries(st.sampled_from(["color", "size"]), texts, max_size=2),
        tags=st.lists(texts, max_size=2).map(tuple),
        created_at=moments | st.none(),
        expires_at=moments | st.none(),
        hidden=st.booleans(),
    )


def record(product: Product) -> Mapping[str, object]:
    facts = {name: getattr(product, name) for name in PRODUCT_FIELDS if name != "in_stock"}
    facts["availability"] = product.availability.value
    return {**facts, "in_stock": product.availability != Availability.OUT_OF_STOCK}


ordered = st.sampled_from(["=", "!=", "<", "<=", ">", ">="])


@st.composite
def comparisons(draw: st.DrawFn) -> Comparison:
    field = draw(st.sampled_from(sorted(PRODUCT_FIELDS)))
    match PRODUCT_FIELDS[field]:
        case FieldKind.NUMBER:
            return Comparison(field, FieldKind.NUMBER, draw(ordered), draw(prices))
        case FieldKind.TIME:
            return Comparison(field, FieldKind.TIME, draw(ordered), draw(moments))
        case FieldKind.BOOL:
            return Comparison(field, FieldKind.BOOL, draw(st.sampled_from(["=", "!="])), draw(st.booleans()))
        case FieldKind.PATH:
            return Comparison(field, FieldKind.PATH, draw(st.sampled_from(["=", ":"])), draw(paths.filter(str.strip)))
        case FieldKind.MAP:
            op = draw(st.sampled_from(["=", "!=", ":"]))
            return Comparison(field, FieldKind.MAP, op, draw(values), draw(st.sampled_from(["color", "weight"])))
        case FieldKind.TEXTS:
            return Comparison(field, FieldKind.TEXTS, draw(st.sampled_from(["=", ":"])), draw(values))
        case _:
            known = values | st.sampled_from(["p1", "in_stock", "EUR", "40*"])
            op = draw(st.sampled_from(["=", "!=", ":"]))
            return Comparison(field, FieldKind.TEXT, op, draw(known | st.just("") if op == ":" else known))


def combined(parts: st.SearchStrategy[Expression]) -> st.SearchStrategy[Expression]:
    several = st.lists(parts, min_size=2, max_size=3).map(tuple)
    return parts.map(Not) | several.map(And) | several.map(Or)


filters = st.recursive(comparisons(), combined, max_leaves=5)
catalogs = st.integers(0, 8).flatmap(lambda n: st.tuples(*(products(f"p{i}") for i in range(n))))


def expected(table: ProductTable, expression: Expression) -> list[bool]:
    passes = predicate(expression)
    return [passes(record(table.product(row))) for row in range(len(table)) if table.exists(row)]


def answered(table: ProductTable, expression: Expression) -> list[bool]:
    mask = table.matching(expression)
    return [bool(mask[row]) for row in range(len(table)) if table.exists(row)]


@settings(max_examples=300, deadline=None)
@given(catalogs, filters)
def test_a_mask_says_what_the_reference_says(catalog: tuple[Product, ...], expression: Expression):
    table = ProductTable()
    table.load(catalog, 1)
    assert answered(table, expression) == expected(table, expression)


@settings(max_examples=150, deadline=None)
@given(catalogs, catalogs, st.sets(st.integers(0, 7)), filters)
def test_a_remembered_mask_follows_every_change(
    before: tuple[Product, ...], after: tuple[Product, ...], deleted: set[int], expression: Expression
):
    table = ProductTable()
    table.load(before, 1)
    table.matching(expression)
    for revision, product in enumerate(after, start=2):
        table.apply([ProductChange(revision, product.product_id, product)])
    table.apply([ProductChange(50, f"p{number}", None) for number in deleted])
    assert answered(table, expression) == expected(table, expression)


def test_only_the_rows_that_changed_are_tested_again():
    table = ProductTable()
    table.load([Product(f"p{n:03}", f"mug {n}") for n in range(100)], 1)
    expression = parse('title:"cup"', PRODUCT_FIELDS)
    assert expression is not None
    assert not table.matching(expression).any()
    table.apply([ProductChange(2, "p007", Product("p007", "cup")), ProductChange(3, "new", Product("new", "a cup"))])
    assert table.matching(expression).nonzero()[0].tolist() == [7, 100]
    first = table.matching(expression)
    assert table.matching(expression) is first
