"""Amounts of money as files write them."""

from __future__ import annotations

import re

_AMOUNT = re.compile(r"(?:([A-Z]{3})\s*)?(\d+(?:\.\d*)?|\.\d+)(?:\s*([A-Z]{3}))?", re.ASCII)


def read_amount(text: str) -> tuple[float, str]:
    """ "12.99", "12.99 USD" or "USD 12.99" as amount and currency ("" when not named).

    Raises ValueError for anything else, thousands separators and decimal commas included: they are ambiguous.
    """
    match = _AMOUNT.fullmatch(text.strip())
    if match is None:
        raise ValueError('must be an amount such as "12.99" or "12.99 USD"')
    return float(match[2]), match[1] or match[3] or ""
