"""What a filter means: the readable exact reference that every compiled form is tested against."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, TypeAlias

from meshkit.filtering.ast import And, Comparison, Expression, FieldKind, Not, Or
from meshkit.filtering.text import fold, folded_path, path_keys, text_pattern, word_text

Record: TypeAlias = Mapping[str, object]
Predicate: TypeAlias = Callable[[Record], bool]

_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def predicate(expression: Expression | None) -> Predicate:
    """A function that says whether a record passes; None (the empty filter) passes everything.

    A record maps field names to str (TEXT), int or float (NUMBER), bool (BOOL), aware datetime (TIME), lists of str
    (PATH, TEXTS) or a str-to-str mapping (MAP). An absent key, None, empty text and an empty list are all "missing":
    every comparison with a missing value is false.
    """
    match expression:
        case None:
            return lambda record: True
        case Comparison():
            return _comparison(expression)
        case Not(operand):
            inner = predicate(operand)
            return lambda record: not inner(record)
        case And(operands):
            parts = [predicate(operand) for operand in operands]
            return lambda record: all(part(record) for part in parts)
        case Or(operands):
            parts = [predicate(operand) for operand in operands]
            return lambda record: any(part(record) for part in parts)


def _comparison(node: Comparison) -> Predicate:
    match node.kind:
        case FieldKind.TEXT:
            matches = _text_test(node)
            return lambda record: _is_text(value := record.get(node.field)) and matches(str(value))
        case FieldKind.MAP:
            return _map_test(node)
        case FieldKind.PATH:
            return _path_test(node)
        case FieldKind.TEXTS:
            wanted = fold(str(node.value))
            return lambda record: any(not wanted or fold(text) == wanted for text in _texts(record, node.field))
        case _:
            return _ordered_test(node)


def _text_test(node: Comparison) -> Callable[[str], bool]:
    text = str(node.value)
    if node.op == ":":
        phrase = word_text(text)
        return lambda value: phrase in word_text(value)
    pattern = text_pattern(text)
    if node.op == "=":
        return pattern.matches
    return lambda value: not pattern.matches(value)


def _map_test(node: Comparison) -> Predicate:
    matches = _text_test(node)

    def test(record: Record) -> bool:
        entries = record.get(node.field)
        value = entries.get(node.key) if isinstance(entries, Mapping) else None
        return _is_text(value) and matches(str(value))

    return test


def _path_test(node: Comparison) -> Predicate:
    wanted = folded_path(str(node.value))
    if not wanted:
        return lambda record: bool(_texts(record, node.field))
    if node.op == "=":
        return lambda record: any(folded_path(path) == wanted for path in _texts(record, node.field))
    return lambda record: any(wanted in path_keys(path) for path in _texts(record, node.field))


def _ordered_test(node: Comparison) -> Predicate:
    compare = _COMPARE[node.op]

    def test(record: Record) -> bool:
        value = record.get(node.field)
        return isinstance(value, int | float | datetime) and compare(value, node.value)

    return test


def _is_text(value: object) -> bool:
    return isinstance(value, str) and value != ""


def _texts(record: Record, field: str) -> list[str]:
    values = record.get(field)
    return [value for value in values if _is_text(value)] if isinstance(values, list | tuple | set | frozenset) else []
