"""The tree of a parsed filter. Frozen and hashable, so that compiled filters can be cached by tree."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Literal, TypeAlias


class FieldKind(Enum):
    """What a field holds and which operators it takes."""

    TEXT = "text"  # = != : (case-insensitive; ':' is "contains the word or phrase"); '*' at the start, end or both of
    #                the value of = and != is a wildcard: see filtering.text_pattern
    NUMBER = "number"  # = != < <= > >=
    BOOL = "bool"  # = !=, or the bare field name
    TIME = "time"  # = != < <= > >= with an RFC 3339 string
    PATH = "path"  # repeated "A > B > C": '=' is the whole path, ':' a path prefix or any one part; case-insensitive
    TEXTS = "texts"  # repeated text: ':' and '=' are "has this value"; case-insensitive
    MAP = "map"  # attributes.color = "red" compares as TEXT; attributes:color is "has the key": key "color", op ":", ""


Operator: TypeAlias = Literal["=", "!=", "<", "<=", ">", ">=", ":"]
Value: TypeAlias = str | float | bool | datetime


@dataclass(frozen=True, slots=True)
class Comparison:
    """`field op value`. For MAP fields `key` is the attribute's name. Text values keep their case.

    `:` with the value "" (written `brand:*`) means "has a value". PATH values have " > " between their parts.
    """

    field: str
    kind: FieldKind
    op: Operator
    value: Value
    key: str = ""


@dataclass(frozen=True, slots=True)
class Not:
    """Everything the operand is not true for; a missing value makes a comparison false, so NOT of it true."""

    operand: Expression


@dataclass(frozen=True, slots=True)
class And:
    """All operands."""

    operands: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """Any operand. In AIP-160 OR binds tighter than AND."""

    operands: tuple[Expression, ...]


Expression: TypeAlias = Comparison | Not | And | Or
