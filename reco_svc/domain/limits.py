"""Limits of what visitors and callers send, as written in reco.proto."""

from __future__ import annotations

import unicodedata
from datetime import timedelta

MAX_ID_BYTES = 128
MAX_QUANTITY = 1_000_000
MAX_POSITION = 1_000_000
MAX_PRICE = 10.0**12
MAX_PLACEMENT = 64
MAX_QUERY = 500
MAX_STEPS = 100  # of a session
FUTURE_TOLERANCE = timedelta(minutes=5)
"""How far ahead of ours the clock of a shopper's device may be."""

ID_RULE = f"1 to {MAX_ID_BYTES} bytes without control characters"


def is_id(value: str) -> bool:
    """True for what may be a product, visitor, order or event id."""
    return 0 < len(value.encode()) <= MAX_ID_BYTES and is_plain(value)


def is_plain(text: str) -> bool:
    """True for text without control characters, which no store, log or page has to fear."""
    if text.isascii():
        return text.isprintable()
    return not any(unicodedata.category(c) == "Cc" for c in text)
