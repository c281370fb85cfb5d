"""What visitors do, as the edge passes it on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

EVENT_TYPES = (
    "view_item",
    "select_item",
    "add_to_cart",
    "remove_from_cart",
    "add_to_wishlist",
    "purchase",
    "refund",
    "impression",
    "search",
)


@dataclass(frozen=True, slots=True)
class Interaction:
    """One event. `at` None: now; `price` is of one piece; `position` from 1."""

    event_id: str
    type: str
    visitor_id: str
    product_id: str = ""
    at: datetime | None = None
    quantity: int | None = None
    price: float | None = None
    currency: str = ""
    order_id: str = ""
    recommendation_id: str = ""
    position: int | None = None
    placement: str = ""
    query: str = ""
    session_id: str = ""


@dataclass(frozen=True, slots=True)
class EventVerdict:
    """What became of an event: accepted, duplicate, late, unknown_product or invalid; the last with a reason."""

    event_id: str
    verdict: str
    reason: str = ""
