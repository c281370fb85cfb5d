"""An event as a shop reports it, before anything is known to be right, and the check that makes it an interaction."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from reco_svc.domain import limits
from reco_svc.domain.model import EventType, Interaction

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LAST_US = 253_402_300_799_999_999  # end of the year 9999
_CURRENCY = re.compile(r"[A-Z]{3}\Z")
_TYPES = {int(t): t for t in EventType}
_OPTIONAL_IDS = ("order_id", "recommendation_id", "session_id")


@dataclass(frozen=True, slots=True)
class ReportedEvent:
    """Fields as in reco.proto. `type` may be any number; `at_us` is in microseconds since 1970, None: now; `price`,
    `quantity` and `position` are None where absent."""

    event_id: str
    type: int
    visitor_id: str
    product_id: str = ""
    at_us: int | None = None
    quantity: int | None = None
    price: float | None = None
    currency: str = ""
    order_id: str = ""
    recommendation_id: str = ""
    position: int | None = None
    placement: str = ""
    query: str = ""
    session_id: str = ""


def wrong_field(event: ReportedEvent, now: datetime) -> str:
    """The first field that breaks a limit, with what is allowed ("quantity: 1 to 1,000,000"); "" when all is well."""
    return _wrong_identity(event) or _wrong_time(event.at_us, now) or _wrong_number(event) or _wrong_text(event)


def interaction_of(event: ReportedEvent, now: datetime) -> Interaction:
    """The interaction of an event without a wrong field.

    A time ahead of `now` (a device's clock that is fast) becomes `now`: nothing is logged as later than it was told.
    """
    at = now if event.at_us is None else min(now, _EPOCH + timedelta(microseconds=event.at_us))
    return Interaction(
        event_id=event.event_id,
        type=_TYPES[event.type],
        visitor_id=event.visitor_id,
        product_id=event.product_id,
        at=at,
        quantity=1 if event.quantity is None else event.quantity,
        price=event.price,
        currency=event.currency,
        order_id=event.order_id,
        recommendation_id=event.recommendation_id,
        position=event.position,
        placement=event.placement,
        query=event.query,
        session_id=event.session_id,
    )


def _wrong_identity(event: ReportedEvent) -> str:
    if not limits.is_id(event.event_id):
        return f"event_id: {limits.ID_RULE}"
    if event.type not in _TYPES:
        return "type: one of " + ", ".join(t.name.lower() for t in EventType)
    if not limits.is_id(event.visitor_id):
        return f"visitor_id: {limits.ID_RULE}"
    if event.type == EventType.SEARCH:
        if event.product_id:
            return "product_id: empty for a search"
        return "" if event.query.strip() else "query: what was searched for"
    return "" if limits.is_id(event.product_id) else f"product_id: {limits.ID_RULE}"


def _wrong_time(at_us: int | None, now: datetime) -> str:
    if at_us is None:
        return ""
    if not 0 <= at_us <= _LAST_US:
        return "at: a time between the years 1970 and 9999"
    if _EPOCH + timedelta(microseconds=at_us) > now + limits.FUTURE_TOLERANCE:
        return "at: at most 5 minutes in the future"
    return ""


def _wrong_number(event: ReportedEvent) -> str:
    if event.quantity is not None and not 1 <= event.quantity <= limits.MAX_QUANTITY:
        return f"quantity: 1 to {limits.MAX_QUANTITY:,}"
    if event.position is not None and not 1 <= event.position <= limits.MAX_POSITION:
        return f"position: 1 to {limits.MAX_POSITION:,}"
    if event.price is None:
        return "" if not event.currency else "currency: only with a price"
    if not math.isfinite(event.price) or not 0 <= event.price <= limits.MAX_PRICE:
        return "price: 0 to 10^12"
    return "" if _CURRENCY.match(event.currency) else "price.currency_code: three capital letters, such as EUR"


def _wrong_text(event: ReportedEvent) -> str:
    for name in _OPTIONAL_IDS:
        if (value := getattr(event, name)) and not limits.is_id(value):
            return f"{name}: at most {limits.MAX_ID_BYTES} bytes without control characters"
    if len(event.placement) > limits.MAX_PLACEMENT or not limits.is_plain(event.placement):
        return f"placement: at most {limits.MAX_PLACEMENT} characters without control characters"
    if len(event.query) > limits.MAX_QUERY or not limits.is_plain(event.query):
        return f"query: at most {limits.MAX_QUERY} characters without control characters"
    return ""
