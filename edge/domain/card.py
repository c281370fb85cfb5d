"""A product card: the public JSON of a product, with what decides whether a shopper may see it."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import cast


@dataclass(frozen=True, slots=True)
class Card:
    """One product at one revision. `body` is its public JSON object, b"" when the product is `gone`.

    `expires_s` is Unix time in seconds, infinite for a product that does not expire. `revision` grows with every change
    of the product; 0: not known.
    """

    product_id: str
    revision: int
    body: bytes
    sold_out: bool = False
    hidden: bool = False
    expires_s: float = math.inf
    gone: bool = False

    @classmethod
    def of_gone(cls, product_id: str, revision: int = 0) -> Card:
        """What stands for a product that was deleted or never was."""
        return cls(product_id, revision, b"", gone=True)

    def visible(self, now_s: float) -> bool:
        """False for what no shopper may see: deleted, hidden or expired."""
        return not (self.gone or self.hidden or self.expires_s <= now_s)

    def recommendable(self, now_s: float, *, sold_out_too: bool = False) -> bool:
        """Visible, and not sold out unless the caller asked for sold-out products too."""
        return (sold_out_too or not self.sold_out) and not (self.gone or self.hidden or self.expires_s <= now_s)

    def fields(self) -> Mapping[str, object]:
        """The card as a mapping; empty when gone. Parses the JSON: not for hot paths."""
        return cast(Mapping[str, object], json.loads(self.body)) if self.body else {}

    def filter_record(self) -> Mapping[str, object]:
        """The card as filters see it: the price a shopper pays now, times as datetimes, `in_stock`."""
        record = dict(self.fields())
        if record.get("sale_price") is not None:
            record["price"] = record["sale_price"]
        for name in ("created_at", "expires_at"):
            if isinstance(text := record.get(name), str):
                record[name] = datetime.fromisoformat(text)
        return {**record, "in_stock": record.get("availability") == "in_stock"}
