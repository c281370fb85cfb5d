"""The grammar of filters: the AIP-160 subset, and what a text that does not fit it is told."""

from __future__ import annotations

from functools import cache
from typing import TypeAlias

from lark import Lark, Token, Tree
from lark.exceptions import UnexpectedCharacters, UnexpectedInput, UnexpectedToken

from meshkit.errors import InvalidArgument

GRAMMAR = r"""
    start: conjunction
    conjunction: sequence ("AND" sequence)*
    sequence: factor+
    factor: term ("OR" term)*
    ?term: (NOT | MINUS) simple -> negation
         | simple
    ?simple: comparison | bare | CALL
           | LPAR conjunction RPAR -> group
    comparison: (WORD | STRING) COMPARATOR (WORD | STRING | NEGATIVE)
    bare: WORD | STRING

    NOT: "NOT"
    MINUS: "-"
    LPAR: "("
    RPAR: ")"
    COMPARATOR: /<=|>=|!=|=|<|>|:/
    STRING: /"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'/s
    NEGATIVE: /-[^\s()"'<>=!:,]+/
    WORD: /[^\s()"'<>=!:,\-][^\s()"'<>=!:,]*/
    CALL.2: /(?!(?:AND|OR|NOT)\()[A-Za-z_][A-Za-z0-9_.]*\(/

    %import common.WS
    %ignore WS
"""

Node: TypeAlias = Tree[Token]


@cache
def _parser() -> Lark:
    return Lark(GRAMMAR, parser="lalr", lexer="contextual", lexer_callbacks={"CALL": _refuse_call})


def _refuse_call(call: Token) -> Token:
    raise syntax_error(call.start_pos or 0, f"{call[:64]}…) is a function call; filters have no functions")


def syntax_error(position: int, message: str) -> InvalidArgument:
    """The error of every wrong filter; `position` counts characters from 0, people are told the column from 1."""
    return InvalidArgument.of("filter", f"column {position + 1}: {message}", reason="FILTER_SYNTAX")


def read_tree(text: str) -> Node:
    """The parse tree of a filter that is not blank; InvalidArgument (FILTER_SYNTAX) with the column."""
    try:
        return _parser().parse(text)
    except UnexpectedInput as error:
        raise _explain(text, error) from None


def _explain(text: str, error: UnexpectedInput) -> InvalidArgument:
    if isinstance(error, UnexpectedToken) and error.token.type != "$END":
        return syntax_error(error.token.start_pos or 0, _unexpected(str(error.token), error.accepts or error.expected))
    if isinstance(error, UnexpectedCharacters):
        position = error.pos_in_stream or 0
        return syntax_error(position, _unexpected(text[position], error.allowed or set()))
    if text.count("(") > text.count(")"):
        return syntax_error(len(text.rstrip()), "the filter ends, but a '(' is still open")
    return syntax_error(len(text.rstrip()), "the filter ends where a value or a condition is expected")


def _unexpected(found: str, expected: set[str]) -> str:
    if found in {'"', "'"}:
        return f"the quote {found} is never closed"
    if "NEGATIVE" in expected:
        hint = "expected a value; quote values with other characters than letters, digits, '.', '_' and '-'"
        return f"unexpected {found!r}; {'equality is a single =' if found == '=' else hint}"
    if found == ")":
        return "unexpected ')': there is nothing to close or nothing inside"
    if found in {"AND", "OR"}:
        return f"unexpected {found}: a condition must stand on both sides of it"
    if found == ":":
        return "unexpected ':'; quote a value that contains a colon"
    return f"unexpected {found!r}; a condition is: field operator value"
