"""Filters as queries of MongoDB.

A query lets every product through that the filter lets through. Where MongoDB can not say it exactly (words inside
longer text, descriptions, very deep filters) it is wider and `exact` is False: what comes back must be checked again
with `meshkit.filtering.predicate`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from catalog_svc.adapters.mongo_store import MongoDocument
from catalog_svc.adapters.product_content import WHOLE_PATH, to_micros
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

_MAX_DEPTH = 20  # each level nests two levels of BSON, of which MongoDB takes 100
_TEXT_FIELDS = {
    "product_id": "keys.product_id",
    "title": "keys.title",
    "brand": "keys.brand",
    "currency": "keys.currency",
    "availability": "availability",
    "group_id": "keys.group_id",
    "gtin": "keys.gtin",
}
_COMPARE = {"=": "$eq", "!=": "$ne", "<": "$lt", "<=": "$lte", ">": "$gt", ">=": "$gte"}


@dataclass(frozen=True, slots=True)
class MongoFilter:
    """A query over the product collection. Wider than the filter unless `exact`."""

    query: MongoDocument
    exact: bool = True


_EVERYTHING = MongoFilter({}, exact=False)


def compile_filter(expression: Expression | None, depth: int = 0) -> MongoFilter:
    """The query of a filter; None (the empty filter) lets everything through."""
    if depth > _MAX_DEPTH:
        return _EVERYTHING
    match expression:
        case None:
            return MongoFilter({})
        case Comparison():
            return _comparison(expression)
        case Not(operand):
            inner = compile_filter(operand, depth + 1)
            # The opposite of a wider query would be narrower than the filter.
            return MongoFilter({"$nor": [inner.query]}) if inner.exact else _EVERYTHING
        case And(operands):
            parts = [compile_filter(operand, depth + 1) for operand in operands]
            return MongoFilter({"$and": [p.query for p in parts]}, all(p.exact for p in parts))
        case Or(operands):
            parts = [compile_filter(operand, depth + 1) for operand in operands]
            return MongoFilter({"$or": [p.query for p in parts]}, all(p.exact for p in parts))


def _comparison(node: Comparison) -> MongoFilter:
    match node.kind:
        case FieldKind.TEXT:
            return _text(node)
        case FieldKind.PATH:
            wanted = folded_path(str(node.value))
            if not wanted:
                return MongoFilter({"keys.categories.0": {"$exists": True}})
            return MongoFilter({"keys.categories": WHOLE_PATH + wanted if node.op == "=" else wanted})
        case FieldKind.TEXTS:
            wanted = fold(str(node.value))
            return MongoFilter({"keys.tags": wanted} if wanted else {"keys.tags.0": {"$exists": True}})
        case FieldKind.MAP:
            return _attribute(node)
        case FieldKind.BOOL:
            in_stock = (node.op == "=") == node.value
            return MongoFilter({"availability": "in_stock" if in_stock else {"$ne": "in_stock"}})
        case _:
            value = to_micros(node.value) if isinstance(node.value, datetime) else node.value
            known, compared = {node.field: {"$ne": None}}, {node.field: {_COMPARE[node.op]: value}}
            return MongoFilter({"$and": [known, compared]})


def _text(node: Comparison) -> MongoFilter:
    field = _TEXT_FIELDS.get(node.field)
    if field is None:  # the description
        return _EVERYTHING
    given = {field: {"$ne": ""}}
    if node.op == ":":
        words = word_text(str(node.value)).split()
        return MongoFilter({"$and": [given, *({field: {"$regex": re.escape(w)}} for w in words)]}, exact=not words)
    pattern = text_pattern(str(node.value))
    matches: MongoDocument = {field: _regex(pattern.text, open_start=pattern.open_start, open_end=pattern.open_end)}
    return MongoFilter({"$and": [given, matches if node.op == "=" else {"$nor": [matches]}]})


def _attribute(node: Comparison) -> MongoFilter:
    has_name: MongoDocument = {"keys.attribute_names": node.key}
    if node.op == ":":
        return MongoFilter(has_name, exact=not word_text(str(node.value)))
    pattern = text_pattern(str(node.value))
    line = f"{node.key}={pattern.text}"
    wanted: object = _regex(line, open_start=False, open_end=pattern.open_end)
    if pattern.open_start:
        end = "" if pattern.open_end else r"\z"
        wanted = {"$regex": f"^{re.escape(node.key)}=(?s:.*){re.escape(pattern.text)}{end}"}
    matches: MongoDocument = {"keys.attributes": wanted}
    return MongoFilter(matches if node.op == "=" else {"$and": [has_name, {"$nor": [matches]}]})


def _regex(text: str, *, open_start: bool, open_end: bool) -> object:
    if not (open_start or open_end):
        return text
    return {"$regex": ("" if open_start else "^") + re.escape(text) + ("" if open_end else r"\z")}
