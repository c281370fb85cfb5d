from __future__ import annotations

from datetime import UTC, datetime

import pytest

from meshkit.errors import InvalidArgument
from meshkit.filtering import PREFERENCE_FIELDS, PRODUCT_FIELDS, And, Comparison, FieldKind, Not, Or, parse

IN_STOCK = Comparison("in_stock", FieldKind.BOOL, "=", True)


def brand(value: str, op: str = "=") -> Comparison:
    return Comparison("brand", FieldKind.TEXT, op, value)  # type: ignore[arg-type]


def price(op: str, value: float) -> Comparison:
    return Comparison("price", FieldKind.NUMBER, op, value)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("in_stock", IN_STOCK),
        ("in_stock = true", IN_STOCK),
        ("in_stock != FALSE", Comparison("in_stock", FieldKind.BOOL, "!=", False)),
        ("price<50", price("<", 50.0)),
        ("price >= -5.5", price(">=", -5.5)),
        ('price = "12.5"', price("=", 12.5)),
        ("brand = 3M", brand("3M")),
        ("brand = 'O\\'Neil'", brand("O'Neil")),
        (r'brand = "a\\b\n\"c\""', brand('a\\b\n"c"')),
        ('brand = "AND"', brand("AND")),
        ("brand = Acme*", brand("Acme*")),
        ("brand:*", brand("", ":")),
        ("category:Kitchen", Comparison("categories", FieldKind.PATH, ":", "Kitchen")),
        (
            'category = "Home>Kitchen > Knives "',
            Comparison("categories", FieldKind.PATH, "=", "Home > Kitchen > Knives"),
        ),
        ("tag:sale", Comparison("tags", FieldKind.TEXTS, ":", "sale")),
        ("attributes.color = red", Comparison("attributes", FieldKind.MAP, "=", "red", "color")),
        ("attributes.shoe-size.eu = 42", Comparison("attributes", FieldKind.MAP, "=", "42", "shoe-size.eu")),
        ("attributes:color", Comparison("attributes", FieldKind.MAP, ":", "", "color")),
        ("attributes.color:*", Comparison("attributes", FieldKind.MAP, ":", "", "color")),
        (
            'created_at > "2026-01-31T10:00:00+02:00"',
            Comparison("created_at", FieldKind.TIME, ">", datetime(2026, 1, 31, 8, tzinfo=UTC)),
        ),
        (
            "created_at > 2026-01-31",
            Comparison("created_at", FieldKind.TIME, ">", datetime(2026, 1, 31, tzinfo=UTC)),
        ),
    ],
)
def test_a_comparison_is_read_into_its_field_kind_operator_and_value(text: str, tree: Comparison) -> None:
    assert parse(text, PRODUCT_FIELDS) == tree


def test_or_binds_tighter_than_and() -> None:
    tree = parse("in_stock AND brand = a OR brand = b AND price < 5", PRODUCT_FIELDS)
    assert tree == And((IN_STOCK, Or((brand("a"), brand("b"))), price("<", 5.0)))


def test_juxtaposed_conditions_are_joined_by_and() -> None:
    assert parse("in_stock brand = a", PRODUCT_FIELDS) == parse("in_stock AND brand = a", PRODUCT_FIELDS)


@pytest.mark.parametrize("text", ["NOT in_stock", "-in_stock", "NOT (in_stock)", "NOT(in_stock)", "- in_stock"])
def test_not_and_minus_negate(text: str) -> None:
    assert parse(text, PRODUCT_FIELDS) == Not(IN_STOCK)


def test_parentheses_group_and_leave_no_trace_where_they_change_nothing() -> None:
    grouped = parse("(in_stock AND brand = a) OR (brand = b)", PRODUCT_FIELDS)
    assert grouped == Or((And((IN_STOCK, brand("a"))), brand("b")))
    assert parse("((in_stock) AND (brand = a AND price < 5))", PRODUCT_FIELDS) == And(
        (IN_STOCK, brand("a"), price("<", 5.0))
    )


@pytest.mark.parametrize("text", ["", "  ", "\n\t"])
def test_a_blank_filter_is_no_tree(text: str) -> None:
    assert parse(text, PRODUCT_FIELDS) is None


def test_preferences_have_fields_of_their_own() -> None:
    tree = parse('brands:"Acme" AND price_max < 50 AND -opted_out', PREFERENCE_FIELDS)
    assert isinstance(tree, And)
    assert [type(part) for part in tree.operands] == [Comparison, Comparison, Not]


@pytest.mark.parametrize(
    ("text", "column", "says"),
    [
        ("pric < 5", 1, "did you mean price?"),
        ("in_stock AND colour = red", 14, "attributes.colour"),
        ("price == 5", 8, "equality is a single ="),
        ('title:"abc', 7, "never closed"),
        ("(in_stock", 10, "'(' is still open"),
        ("in_stock AND", 13, "expected"),
        ("AND in_stock", 1, "both sides"),
        ("in_stock)", 9, "nothing to close"),
        ("in_stock and in_stock", 10, "capitals"),
        ('contains(title, "x")', 1, "no functions"),
        ("brand = AND in_stock", 9, "value is missing before AND"),
        ('"knife"', 1, "in which field"),
        ('"brand" = x', 1, "without quotes"),
        ("title", 1, "compare it"),
        ("price < cheap", 9, "number"),
        ("price < 1e999", 9, "number"),
        ("price < nan", 9, "number"),
        ("price < 1_000", 9, "number"),
        ("price < ٣", 9, "number"),
        ("price:5", 6, "does not take :"),
        ("in_stock > true", 10, "does not take >"),
        ("in_stock = 1", 12, "true or false"),
        ("brand > a", 7, "does not take >"),
        ("tags != sale", 6, "NOT tags:"),
        ("brand = ''", 9, "NOT brand:*"),
        ("title:'!!'", 7, "no word"),
        ("category = ' > '", 12, "path such as"),
        ("created_at > soon", 14, "RFC 3339"),
        ("created_at > 2026-02-30", 14, "RFC 3339"),
        ('created_at > "2026-01-01T00:00:00"', 14, "RFC 3339"),
        ("created_at > 2026-01-01T00:00:00Z", 27, "quote"),
        ("title.x = 1", 1, "no parts"),
        ("attributes = red", 14, "name the key"),
        ("attributes.käse = 1", 1, "not a key"),
        ("attributes:'a b'", 12, "not a key"),
        (r'brand = "a\qb"', 11, "no escape"),
        ("brand = a, b", 10, "','"),
        ("brand = \x00", 9, "NUL"),
        ("brand = \ud800", 9, "surrogates"),
    ],
)
def test_what_is_wrong_is_told_with_its_column(text: str, column: int, says: str) -> None:
    with pytest.raises(InvalidArgument) as caught:
        parse(text, PRODUCT_FIELDS)
    assert caught.value.reason == "FILTER_SYNTAX"
    [violation] = caught.value.violations
    assert violation.field == "filter"
    assert violation.description.startswith(f"column {column}: ")
    assert says in violation.description


def test_an_unknown_field_lists_the_known_ones() -> None:
    with pytest.raises(InvalidArgument, match="fields are product_id, title, "):
        parse("x = 1", PRODUCT_FIELDS)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("in_stock OR " * 200 + "in_stock", "characters; at most 2,000"),
        ("(" * 51 + "in_stock" + ")" * 51, "more than 50 nested"),
        ("-in_stock " * 199 + "x:1", "there is no field 'x'"),
        (" ".join(["tag:a"] * 201), "more than 200 comparisons"),
    ],
)
def test_a_filter_has_a_greatest_length_depth_and_number_of_terms(text: str, says: str) -> None:
    with pytest.raises(InvalidArgument, match=says):
        parse(text, PRODUCT_FIELDS)


def test_the_greatest_filter_passes() -> None:
    assert parse("(" * 50 + "in_stock" + ")" * 50, PRODUCT_FIELDS) == IN_STOCK
    assert parse(" ".join(["tag:a"] * 200), PRODUCT_FIELDS) is not None
    assert parse("NOT (" * 50 + "in_stock" + ")" * 50, PRODUCT_FIELDS) is not None


def test_the_same_filter_is_parsed_once() -> None:
    assert parse("price < 51 AND in_stock", PRODUCT_FIELDS) is parse("price < 51 AND in_stock", PRODUCT_FIELDS)


def test_trees_can_be_keys_of_a_cache() -> None:
    assert len({parse("price < 5", PRODUCT_FIELDS), parse("price<5.0", PRODUCT_FIELDS)}) == 1
