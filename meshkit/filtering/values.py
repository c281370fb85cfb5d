"""Which operators and values each kind of field takes."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime

from meshkit.filtering.ast import FieldKind, Operator, Value
from meshkit.filtering.grammar import syntax_error
from meshkit.filtering.text import normal_path, word_text

_ORDERED: tuple[Operator, ...] = ("=", "!=", "<", "<=", ">", ">=")
OPERATORS: dict[FieldKind, tuple[Operator, ...]] = {
    FieldKind.TEXT: ("=", "!=", ":"),
    FieldKind.NUMBER: _ORDERED,
    FieldKind.BOOL: ("=", "!="),
    FieldKind.TIME: _ORDERED,
    FieldKind.PATH: ("=", ":"),
    FieldKind.TEXTS: ("=", ":"),
    FieldKind.MAP: ("=", "!=", ":"),
}
_NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_TIME = re.compile(r"\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?(?:[Zz]|[+-]\d{2}:\d{2})", re.ASCII)


def check_operator(field: str, kind: FieldKind, op: Operator, position: int) -> None:
    """Refuses (FILTER_SYNTAX) an operator that the kind does not take."""
    if op in OPERATORS[kind]:
        return
    if op == "!=":
        raise syntax_error(position, f"{field} may hold many values, so != is not clear; write NOT {field}:…")
    raise syntax_error(
        position, f"{field} is {kind.value} and does not take {op}; it takes {' '.join(OPERATORS[kind])}"
    )


def read_value(field: str, kind: FieldKind, op: Operator, text: str, position: int) -> Value:
    """The value as the tree holds it: float, bool, aware UTC datetime, or text (a path with " > " between parts).

    `*` after `:` is answered as "", which means "has a value". Raises InvalidArgument (FILTER_SYNTAX).
    """
    match kind:
        case FieldKind.NUMBER:
            return _number(field, text, position)
        case FieldKind.BOOL:
            return _bool(field, text, position)
        case FieldKind.TIME:
            return _time(field, text, position)
        case FieldKind.PATH:
            return _path(field, op, text, position)
        case _:
            return _text(field, kind, op, text, position)


def _number(field: str, text: str, position: int) -> float:
    value = float(text) if _NUMBER.fullmatch(text) else math.nan
    if not math.isfinite(value):
        raise syntax_error(position, f"{field} is compared with a number such as 12.5, not with {_short(text)}")
    return value


def _bool(field: str, text: str, position: int) -> bool:
    if text.lower() not in {"true", "false"}:
        raise syntax_error(position, f"{field} is true or false, not {_short(text)}")
    return text.lower() == "true"


def _time(field: str, text: str, position: int) -> datetime:
    try:
        if _DAY.fullmatch(text):
            return datetime.fromisoformat(text).replace(tzinfo=UTC)
        if _TIME.fullmatch(text):
            return datetime.fromisoformat(text.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        pass  # the shape was right, the date does not exist: told below
    example = '"2026-01-31T00:00:00Z" or 2026-01-31'
    raise syntax_error(position, f"{field} is compared with an RFC 3339 time, {example}, not with {_short(text)}")


def _path(field: str, op: Operator, text: str, position: int) -> str:
    if op == ":" and text in {"", "*"}:
        return ""
    path = normal_path(text)
    if not path:
        raise syntax_error(position, f'{field} is compared with a path such as "Home > Kitchen"')
    return path


def _text(field: str, kind: FieldKind, op: Operator, text: str, position: int) -> str:
    if op == ":":
        if text in {"", "*"}:
            return ""
        if kind is not FieldKind.TEXTS and not word_text(text):
            raise syntax_error(position, f"{_short(text)} has no word to look for")
        return text
    if not text:
        raise syntax_error(position, f"nothing equals empty text; write NOT {field}:* for products without it")
    return text


def _short(text: str) -> str:
    return repr(text if len(text) <= 40 else text[:40] + "…")
