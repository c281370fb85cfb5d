"""What preferences and segments may hold; limits as in profile.proto."""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Iterable
from dataclasses import replace

from meshkit.errors import FieldViolation, InvalidArgument
from profile_svc.domain.model import Preferences, Price, Segment

MAX_ID_BYTES = 128
MAX_VALUES = 50
MAX_PATH_CHARACTERS = 500
MAX_BRAND_CHARACTERS = 200
MAX_TITLE_CHARACTERS = 200
MAX_SEGMENTS = 1_000
MAX_AMOUNT = 10**12
EDITABLE = ("categories", "brands", "excluded_categories", "price_min", "price_max", "opted_out")

_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_CURRENCY = re.compile(r"[A-Z]{3}\Z")
_SEGMENT_NAME = re.compile(r"[a-z0-9_-]{1,64}\Z")


def checked_visitor_id(visitor_id: str, field: str = "visitor_id") -> str:
    """The id itself; InvalidArgument unless it is 1 to 128 bytes of UTF-8 without control characters."""
    if problem := _id_problem(visitor_id):
        raise InvalidArgument.of(field, problem)
    return visitor_id


def has_control(text: str) -> bool:
    """True if a text holds a character that no id and no value may hold."""
    return _CONTROL.search(text) is not None


def visitor_hash(visitor_id: str) -> str:
    """SHA-256 of an id, hexadecimal: what may stay of a visitor after an erasure."""
    return hashlib.sha256(visitor_id.encode()).hexdigest()


def checked_preferences(preferences: Preferences) -> Preferences:
    """The preferences in normal form: texts trimmed, paths joined by " > ", repeats dropped, order kept.

    Raises InvalidArgument with every wrong field at once.
    """
    wrong: list[FieldViolation] = []
    if problem := _id_problem(preferences.visitor_id):
        wrong.append(FieldViolation("visitor_id", problem))
    normal = replace(
        preferences,
        categories=_paths("categories", preferences.categories, wrong),
        brands=_texts("brands", (b.strip() for b in preferences.brands), MAX_BRAND_CHARACTERS, wrong),
        excluded_categories=_paths("excluded_categories", preferences.excluded_categories, wrong),
    )
    _check_price_band(preferences.price_min, preferences.price_max, wrong)
    if wrong:
        raise InvalidArgument(wrong)
    return normal


def checked_segment(segment: Segment) -> Segment:
    """The segment with its texts trimmed. The filter is checked by the use case, which knows the grammar."""
    wrong: list[FieldViolation] = []
    normal = replace(segment, title=segment.title.strip(), filter=segment.filter.strip())
    if not _SEGMENT_NAME.match(segment.name):
        wrong.append(FieldViolation("name", "must be 1 to 64 characters from a-z, 0-9, '_' and '-'"))
    if len(normal.title) > MAX_TITLE_CHARACTERS or _CONTROL.search(normal.title):
        wrong.append(FieldViolation("title", f"at most {MAX_TITLE_CHARACTERS} characters, none of them control"))
    if not normal.filter:
        wrong.append(FieldViolation("filter", 'must say who is in it, such as brands:"Acme" AND price_max < 50'))
    if wrong:
        raise InvalidArgument(wrong)
    return normal


def _id_problem(visitor_id: str) -> str:
    if not visitor_id:
        return "is required"
    if _CONTROL.search(visitor_id):
        return "must not hold control characters"
    if len(visitor_id.encode()) > MAX_ID_BYTES:
        return f"at most {MAX_ID_BYTES} bytes of UTF-8"
    return ""


def _paths(field: str, values: tuple[str, ...], wrong: list[FieldViolation]) -> tuple[str, ...]:
    return _texts(field, (_path(value) for value in values), MAX_PATH_CHARACTERS, wrong)


def _path(value: str) -> str:
    parts = [part.strip() for part in value.split(">")]
    return " > ".join(parts) if all(parts) else ""


def _texts(field: str, values: Iterable[str], limit: int, wrong: list[FieldViolation]) -> tuple[str, ...]:
    given = list(values)
    if len(given) > MAX_VALUES:
        wrong.append(FieldViolation(field, f"at most {MAX_VALUES} entries, not {len(given):,}"))
        return ()
    for number, text in enumerate(given):
        if not text:
            wrong.append(FieldViolation(f"{field}[{number}]", "must not be empty, nor have an empty part"))
        elif len(text) > limit:
            wrong.append(FieldViolation(f"{field}[{number}]", f"at most {limit} characters, not {len(text):,}"))
        elif _CONTROL.search(text):
            wrong.append(FieldViolation(f"{field}[{number}]", "must not hold control characters"))
    return tuple(dict.fromkeys(given))


def _check_price_band(low: Price | None, high: Price | None, wrong: list[FieldViolation]) -> None:
    sound = True
    for field, price in (("price_min", low), ("price_max", high)):
        if price is None:
            continue
        if not math.isfinite(price.amount) or not 0 <= price.amount <= MAX_AMOUNT:
            wrong.append(FieldViolation(field, f"must be between 0 and {MAX_AMOUNT:,}"))
            sound = False
        if not _CURRENCY.match(price.currency):
            wrong.append(FieldViolation(f"{field}.currency_code", 'must be three letters (ISO 4217) such as "EUR"'))
            sound = False
    if low is None or high is None or not sound:
        return
    if low.currency != high.currency:
        wrong.append(FieldViolation("price_max.currency_code", f"must be that of price_min, {low.currency}"))
    elif high.amount < low.amount:
        wrong.append(FieldViolation("price_max", f"must not be below price_min, {low.amount:g}"))
