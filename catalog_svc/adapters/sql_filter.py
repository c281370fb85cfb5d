"""Filters as SQL conditions, the same for SQLite and PostgreSQL.

A condition lets every product through that the filter lets through. Where SQL can not say it exactly (words inside
longer text, descriptions) the condition is wider and `exact` is False: what comes back must be checked again with
`meshkit.filtering.predicate`.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from catalog_svc.adapters.product_content import WHOLE_PATH, to_micros
from catalog_svc.adapters.sql_rows import attribute_line
from catalog_svc.adapters.sql_tables import product as t
from meshkit.filtering import (
    And,
    Comparison,
    Expression,
    FieldKind,
    Not,
    Or,
    fold,
    folded_path,
    text_pattern,
    word_text,
)

Condition = sa.ColumnElement[bool]

_TEXT_COLUMNS: dict[str, sa.Column[str]] = {
    "product_id": t.c.product_key,
    "title": t.c.title_key,
    "brand": t.c.brand_key,
    "currency": t.c.currency_key,
    "availability": t.c.availability,
    "group_id": t.c.group_key,
    "gtin": t.c.gtin_key,
}
_ORDERED_COLUMNS: dict[str, sa.Column[Any]] = {
    "price": t.c.price,
    "created_at": t.c.created_at,
    "expires_at": t.c.expires_at,
}
_COMPARE: dict[str, Callable[[Any, Any], Any]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


@dataclass(frozen=True, slots=True)
class SqlFilter:
    """A condition over the product table; never NULL. Wider than the filter unless `exact`."""

    condition: Condition
    exact: bool = True


_EVERYTHING = SqlFilter(sa.true(), exact=False)


def compile_filter(expression: Expression | None) -> SqlFilter:
    """The condition of a filter; None (the empty filter) lets everything through."""
    match expression:
        case None:
            return SqlFilter(sa.true())
        case Comparison():
            return _comparison(expression)
        case Not(operand):
            inner = compile_filter(operand)
            # The opposite of a wider condition would be narrower than the filter.
            return SqlFilter(sa.not_(inner.condition)) if inner.exact else _EVERYTHING
        case And(operands):
            parts = [compile_filter(operand) for operand in operands]
            return SqlFilter(sa.and_(*(p.condition for p in parts)), all(p.exact for p in parts))
        case Or(operands):
            parts = [compile_filter(operand) for operand in operands]
            return SqlFilter(sa.or_(*(p.condition for p in parts)), all(p.exact for p in parts))


class holds(FunctionElement[bool]):
    """True if a text holds another; unlike LIKE it knows no wildcards and folds nothing."""

    type = sa.Boolean()
    inherit_cache = True


@compiles(holds, "sqlite")
def _instr(element: holds, compiler: SQLCompiler, **options: Any) -> str:
    return f"(instr({compiler.process(element.clauses, **options)}) > 0)"


@compiles(holds, "postgresql")
def _strpos(element: holds, compiler: SQLCompiler, **options: Any) -> str:
    return f"(strpos({compiler.process(element.clauses, **options)}) > 0)"


def _comparison(node: Comparison) -> SqlFilter:
    match node.kind:
        case FieldKind.TEXT:
            return _text(node)
        case FieldKind.PATH:
            return _path(node)
        case FieldKind.TEXTS:
            wanted = fold(str(node.value))
            return SqlFilter(_has_line(t.c.tag_keys, wanted) if wanted else t.c.tag_keys != "")
        case FieldKind.MAP:
            return _attribute(node)
        case FieldKind.BOOL:
            in_stock = t.c.availability == "in_stock"
            return SqlFilter(in_stock if (node.op == "=") == node.value else sa.not_(in_stock))
        case _:
            column = _ORDERED_COLUMNS[node.field]
            value = to_micros(node.value) if isinstance(node.value, datetime) else node.value
            return SqlFilter(sa.and_(column.is_not(None), _COMPARE[node.op](column, value)))


def _text(node: Comparison) -> SqlFilter:
    column = _TEXT_COLUMNS.get(node.field)
    if column is None:  # the description
        return _EVERYTHING
    text = str(node.value)
    if node.op == ":":
        words = word_text(text).split()
        narrowed = sa.and_(column != "", *(_holds(column, word) for word in words))
        return SqlFilter(narrowed, exact=not words)
    matches = _pattern_on_line(column, text)
    return SqlFilter(sa.and_(column != "", matches if node.op == "=" else sa.not_(matches)))


def _pattern_on_line(column: sa.Column[str], text: str) -> Condition:
    pattern = text_pattern(text)
    if not (pattern.open_start or pattern.open_end):
        return column == pattern.text
    if "\n" in pattern.text:
        return sa.false()
    line = "\n" + column + "\n"
    start, end = "" if pattern.open_start else "\n", "" if pattern.open_end else "\n"
    wanted = f"{start}{pattern.text}{end}"
    return _holds(line, wanted) if wanted else sa.true()


def _path(node: Comparison) -> SqlFilter:
    wanted = folded_path(str(node.value))
    if not wanted:
        return SqlFilter(t.c.category_keys != "")
    return SqlFilter(_has_line(t.c.category_keys, WHOLE_PATH + wanted if node.op == "=" else wanted))


def _attribute(node: Comparison) -> SqlFilter:
    text, has_key = str(node.value), _holds(t.c.attribute_keys, f"\n{attribute_line(node.key, '')}")
    if node.op == ":":
        words = word_text(text).split()
        return SqlFilter(sa.and_(has_key, *(_holds(t.c.attribute_keys, w) for w in words)), exact=not words)
    pattern = text_pattern(text)
    if pattern.open_start:
        ending = attribute_line("", pattern.text)[1:] + ("" if pattern.open_end else "\n")
        narrowed = sa.and_(has_key, _holds(t.c.attribute_keys, ending) if ending else sa.true())
        return SqlFilter(narrowed if node.op == "=" else has_key, exact=False)
    line = attribute_line(node.key, pattern.text)
    matches = _holds(t.c.attribute_keys, f"\n{line}{'' if pattern.open_end else chr(10)}")
    return SqlFilter(matches if node.op == "=" else sa.and_(has_key, sa.not_(matches)))


def _has_line(column: sa.Column[str], line: str) -> Condition:
    # Keys hold no line breaks; a value with one would match two neighbours, but equals nothing.
    return sa.false() if "\n" in line else _holds(column, f"\n{line}\n")


def _holds(column: sa.ColumnElement[str], text: str) -> Condition:
    return holds(column, sa.literal(text, sa.Text))
