from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshkit.errors import InvalidArgument
from meshkit.filtering import (
    PRODUCT_FIELDS,
    And,
    Comparison,
    Expression,
    FieldKind,
    Not,
    Or,
    normal_path,
    parse,
    predicate,
    to_text,
    word_text,
)

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), min_size=1, max_size=12)
phrases = texts.filter(lambda text: text != "*" and word_text(text) != "")
paths = texts.map(normal_path).filter(bool)
numbers = st.floats(allow_nan=False, allow_infinity=False)
times = st.datetimes(timezones=st.just(UTC), min_value=datetime(1000, 1, 1))
keys = st.text("abzAZ019_.-", min_size=1, max_size=8)
ordered = st.sampled_from(["=", "!=", "<", "<=", ">", ">="])


def comparison(fields: list[str], kind: FieldKind, ops: st.SearchStrategy[str], values: st.SearchStrategy[object]):
    return st.builds(Comparison, st.sampled_from(fields), st.just(kind), ops, values)


comparisons = st.one_of(
    comparison(["title", "brand", "gtin"], FieldKind.TEXT, st.sampled_from(["=", "!="]), texts),
    comparison(["title", "brand"], FieldKind.TEXT, st.just(":"), phrases | st.just("")),
    comparison(["price"], FieldKind.NUMBER, ordered, numbers),
    comparison(["in_stock"], FieldKind.BOOL, st.sampled_from(["=", "!="]), st.booleans()),
    comparison(["created_at", "expires_at"], FieldKind.TIME, ordered, times),
    comparison(["categories"], FieldKind.PATH, st.sampled_from(["=", ":"]), paths.filter(lambda path: path != "*")),
    comparison(["tags"], FieldKind.TEXTS, st.just("="), texts),
    comparison(["tags"], FieldKind.TEXTS, st.just(":"), texts.filter(lambda text: text != "*")),
    st.builds(Comparison, st.just("attributes"), st.just(FieldKind.MAP), st.sampled_from(["=", "!="]), texts, keys),
    st.builds(Comparison, st.just("attributes"), st.just(FieldKind.MAP), st.just(":"), phrases | st.just(""), keys),
)


def joined(inner: st.SearchStrategy[Expression]) -> st.SearchStrategy[Expression]:
    # As `parse` makes them: no AND right under an AND, no OR right under an OR.
    in_and = st.lists(inner.filter(lambda e: not isinstance(e, And)), min_size=2, max_size=3)
    in_or = st.lists(inner.filter(lambda e: not isinstance(e, Or)), min_size=2, max_size=3)
    return st.one_of(inner.map(Not), in_and.map(lambda e: And(tuple(e))), in_or.map(lambda e: Or(tuple(e))))


trees: st.SearchStrategy[Expression] = st.recursive(comparisons, joined, max_leaves=8)
records = st.fixed_dictionaries(
    {},
    optional={
        "title": st.text(max_size=8),
        "brand": st.text(max_size=8) | st.none(),
        "price": numbers | st.integers() | st.none(),
        "in_stock": st.booleans(),
        "created_at": times,
        "categories": st.lists(st.text(max_size=8), max_size=3),
        "tags": st.lists(st.text(max_size=8), max_size=3),
        "attributes": st.dictionaries(keys, st.text(max_size=8), max_size=3),
    },
)


@given(trees)
def test_the_text_of_a_tree_parses_to_the_same_tree(tree: Expression) -> None:
    text = to_text(tree)
    if len(text) <= 2_000:
        assert parse(text, PRODUCT_FIELDS) == tree


@given(trees, records)
def test_not_turns_every_answer_around(tree: Expression, record: dict[str, object]) -> None:
    assert predicate(Not(tree))(record) is not predicate(tree)(record)


@given(st.text("abcprice in_stock\"\\'()<>=!:*-., ANDORT\x00\n5", max_size=60) | st.text(max_size=40))
def test_any_text_is_a_tree_or_a_clear_refusal(text: str) -> None:
    try:
        tree = parse(text, PRODUCT_FIELDS)
    except InvalidArgument as error:
        refusal = error.violations[0]
    else:
        assert parse(to_text(tree), PRODUCT_FIELDS) == tree
        return
    assert refusal.field == "filter"
    assert refusal.description.startswith("column ")


def test_the_canonical_text_is_what_people_would_write() -> None:
    tree = parse("-tag:sale (price<50 OR in_stock) attributes.color='red'", PRODUCT_FIELDS)
    assert to_text(tree) == 'NOT tags:"sale" AND price < 50 OR in_stock = true AND attributes.color = "red"'
    assert to_text(None) == ""


@pytest.mark.parametrize("value", [1e22, 0.1, -5.0, 1e-7, 123456789.125])
def test_numbers_keep_their_value(value: float) -> None:
    tree = Comparison("price", FieldKind.NUMBER, "<", value)
    assert parse(to_text(tree), PRODUCT_FIELDS) == tree
