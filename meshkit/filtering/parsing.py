"""From the text of a filter to its checked tree."""

from __future__ import annotations

import difflib
import re
from functools import lru_cache
from typing import cast

from lark import Token

from meshkit.filtering.ast import And, Comparison, Expression, FieldKind, Not, Operator, Or
from meshkit.filtering.fields import FieldSet
from meshkit.filtering.grammar import Node, read_tree, syntax_error
from meshkit.filtering.values import check_operator, read_value

MAX_CHARACTERS = 2_000
MAX_DEPTH = 50
MAX_TERMS = 200
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_ESCAPES = {"\\": "\\", '"': '"', "'": "'", "n": "\n", "t": "\t", "r": "\r"}
_ATTRIBUTE_KEY = re.compile(r"[A-Za-z0-9_.-]{1,64}")


def parse(text: str, fields: FieldSet) -> Expression | None:
    """The tree of a filter; None for an empty or blank one, which lets everything pass.

    Cached. Raises InvalidArgument (reason FILTER_SYNTAX, field "filter", the column from 1 in its description) for
    wrong syntax, an unknown field, an operator or a value that the field does not take, and for more than 2,000
    characters, 50 nested parentheses or 200 comparisons.
    """
    if len(text) > MAX_CHARACTERS:
        raise syntax_error(MAX_CHARACTERS, f"the filter has {len(text):,} characters; at most {MAX_CHARACTERS:,}")
    return _parse(text, fields)


@lru_cache(maxsize=2_048)
def _parse(text: str, fields: FieldSet) -> Expression | None:
    if not text.strip():
        return None
    bad = _UNSTORABLE.search(text)
    if bad is not None:
        raise syntax_error(bad.start(), "NUL and lone surrogates are not text")
    return _Reader(fields).read(read_tree(text).children[0])


class _Reader:
    """Walks one parse tree; counts terms and depth on the way."""

    def __init__(self, fields: FieldSet) -> None:
        self._fields = fields
        self._terms = 0
        self._depth = 0

    def read(self, node: Node | Token) -> Expression:
        assert not isinstance(node, Token)
        match node.data:
            case "conjunction" | "sequence":
                return self._all(node)
            case "factor":
                return self._any(node)
            case "negation":
                return Not(self.read(node.children[1]))
            case "group":
                return self._group(node)
            case "comparison":
                return self._comparison(*cast(tuple[Token, Token, Token], node.children))
            case _:
                return self._bare(cast(Token, node.children[0]))

    def _all(self, node: Node) -> Expression:
        operands: list[Expression] = []
        for part in map(self.read, node.children):
            operands.extend(part.operands if isinstance(part, And) else (part,))
        return operands[0] if len(operands) == 1 else And(tuple(operands))

    def _any(self, node: Node) -> Expression:
        operands: list[Expression] = []
        for part in map(self.read, node.children):
            operands.extend(part.operands if isinstance(part, Or) else (part,))
        return operands[0] if len(operands) == 1 else Or(tuple(operands))

    def _group(self, node: Node) -> Expression:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise syntax_error(_at(node.children[0]), f"more than {MAX_DEPTH} nested parentheses")
        inner = self.read(node.children[1])
        self._depth -= 1
        return inner

    def _comparison(self, name: Token, operator: Token, value: Token) -> Expression:
        self._count(name)
        field, kind, key = self._field(name)
        op = cast(Operator, str(operator))
        check_operator(field, kind, op, _at(operator))
        if value.type == "WORD" and value in {"AND", "OR", "NOT"}:
            raise syntax_error(_at(value), f"a value is missing before {value}; quote the word if you mean it")
        text = _unquote(value) if value.type == "STRING" else str(value)
        if kind is FieldKind.MAP and not key:
            return self._has_key(field, op, text, value)
        return Comparison(field, kind, op, read_value(field, kind, op, text, _at(value)), key)

    def _has_key(self, field: str, op: Operator, key: str, value: Token) -> Expression:
        if op != ":":
            raise syntax_error(_at(value), f"name the key to compare: {field}.color {op} …")
        if not _ATTRIBUTE_KEY.fullmatch(key):
            raise syntax_error(_at(value), f"{key!r} is not a key; keys are 1 to 64 of letters, digits, '_', '.', '-'")
        return Comparison(field, FieldKind.MAP, ":", "", key)

    def _bare(self, word: Token) -> Expression:
        self._count(word)
        if word.type == "STRING":
            raise syntax_error(_at(word), f"text alone is no condition; say in which field, as in title:{word}")
        if word in {"AND", "OR"}:
            raise syntax_error(_at(word), f"unexpected {word}: a condition must stand on both sides of it")
        if word.lower() in {"and", "or", "not"}:
            raise syntax_error(_at(word), f"write {word.upper()} in capitals")
        field, kind, _ = self._field(word)
        if kind is not FieldKind.BOOL:
            raise syntax_error(_at(word), f"{word} alone is no condition; compare it, as in {word}:* (has a value)")
        return Comparison(field, kind, "=", True)

    def _field(self, token: Token) -> tuple[str, FieldKind, str]:
        if token.type == "STRING":
            raise syntax_error(_at(token), "a field name stands on the left of an operator, without quotes")
        name, dot, key = str(token).partition(".")
        if name not in self._fields:
            raise syntax_error(_at(token), self._unknown(name))
        field, kind = self._fields.canonical(name), self._fields[name]
        if dot and kind is not FieldKind.MAP:
            raise syntax_error(_at(token), f"{field} has no parts; use it without {dot}{key}")
        if dot and not _ATTRIBUTE_KEY.fullmatch(key):
            raise syntax_error(_at(token), f"{key!r} is not a key; keys are 1 to 64 of letters, digits, '_', '.', '-'")
        return field, kind, key

    def _unknown(self, name: str) -> str:
        near = difflib.get_close_matches(name.lower(), list(self._fields), n=1)
        if near:
            hint = f"did you mean {near[0]}? "
        elif self._fields.map_field:
            hint = f"an attribute is written {self._fields.map_field}.{name[:64]}; "
        else:
            hint = ""
        return f"there is no field {name[:64]!r}; {hint}fields are {', '.join(self._fields)}"

    def _count(self, token: Token) -> None:
        self._terms += 1
        if self._terms > MAX_TERMS:
            raise syntax_error(_at(token), f"more than {MAX_TERMS} comparisons")


def _at(node: Node | Token) -> int:
    return (node.start_pos or 0) if isinstance(node, Token) else 0


def _unquote(token: Token) -> str:
    def replace(match: re.Match[str]) -> str:
        if match[1] not in _ESCAPES:
            position = _at(token) + 1 + match.start()
            raise syntax_error(position, rf"\{match[1]} is no escape; known are \\ \" \' \n \t \r")
        return _ESCAPES[match[1]]

    return _ESCAPE.sub(replace, token[1:-1])
