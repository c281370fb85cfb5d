"""A row of a product CSV as a product card."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from feeds.amounts import read_amount
from feeds.checks import checked
from feeds.lines import refuse_file
from feeds.moments import read_moment
from meshkit.errors import InvalidArgument

LIST_SEPARATOR = "|"
ATTRIBUTE_PREFIX = "attributes."
_TEXTS = ("product_id", "title", "description", "brand", "availability", "group_id", "image_url", "url", "gtin")
_LISTS = {"categories": "categories", "category": "categories", "tags": "tags"}
_AMOUNTS = ("price", "sale_price")
_TIMES = ("created_at", "expires_at")
COLUMNS = frozenset((*_TEXTS, *_LISTS, *_AMOUNTS, *_TIMES, "currency", "hidden"))
_IGNORED = frozenset({"updated_at", "revision"})  # output only: an exported file can be imported again
_TRUTHS = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


def rename_columns(columns: Sequence[str], mapping: Mapping[str, str]) -> dict[str, str]:
    """Column -> field, for {field: column}. Raises InvalidArgument for an unknown field or column."""
    for field, column in mapping.items():
        if field not in COLUMNS and not field.startswith(ATTRIBUTE_PREFIX):
            known = f"{', '.join(sorted(COLUMNS))}, {ATTRIBUTE_PREFIX}NAME"
            raise InvalidArgument.of("mapping", f"there is no product field {field!r}; fields are {known}")
        if column not in columns:
            raise InvalidArgument.of("mapping", f"the file has no column {column!r}; it has {', '.join(columns)[:500]}")
    names = {column: field for field, column in mapping.items()}
    if twice := [column for field, column in mapping.items() if names[column] != field]:
        raise InvalidArgument.of("mapping", f"names column {twice[0]!r} twice")
    return names


def _slug(name: str) -> str:
    return re.sub(r"\W+", "_", name.strip().lower())[:40]


def check_columns(columns: Sequence[str]) -> None:
    """Refuses (InvalidArgument) a header without product_id and title, or with a name that means nothing."""
    missing = [name for name in ("product_id", "title") if name not in columns]
    if missing:
        raise refuse_file(
            f"has no column {' and '.join(missing)}; its header is {', '.join(columns)[:500]}. "
            f"Name it in the mapping (--map {missing[0]}=COLUMN)"
        )
    unknown = [name for name in columns if name not in COLUMNS | _IGNORED and not name.startswith(ATTRIBUTE_PREFIX)]
    if unknown:
        raise refuse_file(
            f"has unknown columns {', '.join(unknown)[:500]}; known are {', '.join(sorted(COLUMNS))}, "
            f"and {ATTRIBUTE_PREFIX}NAME for attributes; keep it as one (--map {ATTRIBUTE_PREFIX}{_slug(unknown[0])}="
            f"{unknown[0]}), or leave it out of the file"
        )


def card_from_row(cells: dict[str, str], currency: str) -> dict[str, object]:
    """The card of a row; empty cells are not set, `currency` stands in where none is named."""
    card: dict[str, object] = {}
    attributes: dict[str, str] = {}
    for name, value in cells.items():
        if not value or name in _IGNORED:
            continue
        if name.startswith(ATTRIBUTE_PREFIX):
            attributes[name.removeprefix(ATTRIBUTE_PREFIX)] = value
        elif name in _LISTS:
            card[_LISTS[name]] = [part.strip() for part in value.split(LIST_SEPARATOR) if part.strip()]
        elif name in _AMOUNTS:
            card[name], named = checked(name, value, read_amount)
            card.setdefault("currency", named or cells.get("currency") or currency)
        elif name in _TIMES:
            card[name] = checked(name, value, read_moment).ToJsonString()
        elif name == "hidden":
            card[name] = checked(name, value, _truth)
        elif name != "currency":
            card[name] = value
    if attributes:
        card["attributes"] = attributes
    return card


def _truth(text: str) -> bool:
    known = _TRUTHS.get(text.lower())
    if known is None:
        raise ValueError(f"must be one of {', '.join(_TRUTHS)}")
    return known
