"""The bounds of what callers may send, as types: ids, texts, times, amounts."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field

Strategy = Literal[
    "auto",
    "similar",
    "bought_together",
    "viewed_together",
    "session",
    "personal",
    "popular",
    "trending",
    "new",
]
EventType = Literal[
    "view_item",
    "select_item",
    "add_to_cart",
    "remove_from_cart",
    "add_to_wishlist",
    "purchase",
    "refund",
    "impression",
    "search",
]
Includable = Literal["out_of_stock", "purchased"]
_CONTROL = {chr(code) for code in (*range(32), 127)}


def _identifier(text: str) -> str:
    if text.isascii() and text.isprintable() and len(text) <= 128:  # nearly all are; the rest is looked at closely
        return text
    if len(text.encode()) > 128:
        raise ValueError("must have at most 128 bytes")
    if not _CONTROL.isdisjoint(text):
        raise ValueError("must not hold control characters")
    return text


def _printable(text: str) -> str:
    if "\0" in text:
        raise ValueError("must not hold the character U+0000")
    return text


def _moment(value: object) -> object:
    if not isinstance(value, str | datetime):
        raise ValueError('must be an RFC 3339 time such as "2026-01-31T08:00:00Z"')
    return value


def _in_range(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise ValueError('must name its time zone, such as "2026-01-31T08:00:00Z"')
    if not 1970 <= moment.year <= 9998:
        raise ValueError("must lie between the years 1970 and 9998")
    return moment


Id = Annotated[str, Field(min_length=1, max_length=128), AfterValidator(_identifier)]
MaybeId = Annotated[str, Field(max_length=128), AfterValidator(_identifier)]
Placement = Annotated[str, Field(max_length=64), AfterValidator(_identifier)]
Path = Annotated[str, Field(max_length=500), AfterValidator(_printable)]
Brand = Annotated[str, Field(max_length=200), AfterValidator(_printable)]
Query = Annotated[str, Field(max_length=500), AfterValidator(_printable)]
Filter = Annotated[str, Field(max_length=2000), AfterValidator(_printable)]
Currency = Annotated[str, Field(pattern="^[A-Z]{3}$")]
Moment = Annotated[datetime, Field(strict=False), BeforeValidator(_moment), AfterValidator(_in_range)]
Limit = Annotated[int, Field(ge=1, le=100)]
Price = Annotated[float, Field(ge=0, le=1e12)]
