"""Reading GA4 e-commerce payloads as events of the mesh.

Accepted are Measurement Protocol bodies (`client_id`, `events[].name`, `events[].params.items[]`), data layer pushes
(`event`, `ecommerce.items[]`) and rows of the BigQuery export (`event_name`, `user_pseudo_id`, `items[]`). Each item
becomes one event. Reference: GA4 Measurement Protocol, "recommended events".
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import TypeAlias

from edge.domain.events import EventVerdict

Payload: TypeAlias = Mapping[str, object]
Event: TypeAlias = dict[str, object]

TYPES = {
    "view_item": "view_item",
    "select_item": "select_item",
    "add_to_cart": "add_to_cart",
    "remove_from_cart": "remove_from_cart",
    "add_to_wishlist": "add_to_wishlist",
    "purchase": "purchase",
    "refund": "refund",
    "view_item_list": "impression",
    "search": "search",
    "view_search_results": "search",
}
_MARKS = ("name", "event_name", "event", "params", "ecommerce", "items")
_MAX_MICROS_DIGITS = 17  # until the year 5138


def is_ga4(event: Payload) -> bool:
    """True for one event in a form of GA4; events of the mesh have a `type` instead of a name."""
    return "type" not in event and any(mark in event for mark in _MARKS)


def events_of(event: Payload, envelope: Payload, seed: str) -> Iterator[Event | EventVerdict]:
    """The events of the mesh in one GA4 event, in the order of its items; a verdict where there is none.

    `envelope` is the body around it. Ids are made from the content and the time, so that a payload sent again is a
    duplicate; without a time in the payload, `seed` keeps unlike requests apart.
    """
    details = _object(event, "params") or _object(event, "ecommerce") or event
    layers = (details, event, envelope)
    name = _text(_first((event,), "name", "event_name", "event"))
    base = _base_id(layers, name, seed)
    kind = TYPES.get(name)
    if kind is None:
        yield EventVerdict(base, "invalid", f"name: {name[:64]!r} is none of {', '.join(TYPES)}")
        return
    shared = _shared(layers, kind)
    if kind == "search":
        yield {**shared, "event_id": base, "query": _first(layers, "search_term")}
        return
    items = _first((details, event), "items")
    if not isinstance(items, list) or not items:
        yield EventVerdict(base, "invalid", f"items: a {name} event needs at least one item with an item_id")
        return
    for number, item in enumerate(items):
        event_id = base if len(items) == 1 else f"{base}:{number}"
        yield (
            _with_item(shared, item, event_id)
            if isinstance(item, Mapping)
            else EventVerdict(event_id, "invalid", f"items[{number}]: must be an object")
        )


def _shared(layers: tuple[Payload, ...], kind: str) -> Event:
    event: Event = {
        "type": kind,
        "visitor_id": _text(_first(layers, "visitor_id", "client_id", "user_pseudo_id")),
        "at": _moment(layers),
        "order_id": _first(layers, "transaction_id"),
        "session_id": _text(_first(layers, "ga_session_id", "session_id")) or None,
        "recommendation_id": _first(layers, "recommendation_id"),
        "placement": _first(layers, "item_list_id", "item_list_name"),
        "currency": _first(layers, "currency"),
    }
    if kind not in ("purchase", "refund"):
        del event["order_id"]
    return _present(event)


def _with_item(shared: Event, item: Payload, event_id: str) -> Event:
    index = _first((item,), "index", "item_list_index")
    if isinstance(index, str) and index.isascii() and index.isdigit() and len(index) < 10:
        index = int(index)
    price = _first((item,), "price")
    own: Event = {
        "event_id": event_id,
        "product_id": _text(_first((item,), "item_id")),
        "quantity": _first((item,), "quantity"),
        "price": price,
        "currency": _first((item,), "currency"),
        "position": index + 1 if isinstance(index, int) and not isinstance(index, bool) else index,
        "placement": _text(_first((item,), "item_list_id", "item_list_name"))[:64] or None,
        "recommendation_id": _first((item,), "recommendation_id"),
    }
    event = {**shared, **_present(own)}
    if price is None:
        event.pop("currency", None)
    return event


def _base_id(layers: tuple[Payload, ...], name: str, seed: str) -> str:
    given = _text(_first(layers, "event_id"))
    if given and len(given) <= 100:
        return given
    details = layers[0]
    when = _text(_first(layers, "timestamp_micros", "event_timestamp"))
    parts = [name, _text(_first(layers, "client_id", "user_pseudo_id", "visitor_id")), given, when or seed]
    parts += [_text(details.get(key)) for key in ("transaction_id", "search_term", "ga_session_id", "value")]
    items = _first((details, layers[1]), "items")
    for item in items if isinstance(items, list) else ():
        if isinstance(item, Mapping):
            parts += [_text(item.get(key)) for key in ("item_id", "item_list_id", "index", "quantity")]
    return f"ga4-{hashlib.blake2b(chr(0).join(parts).encode(), digest_size=16).hexdigest()}"


def _moment(layers: tuple[Payload, ...]) -> datetime | None:
    micros = _text(_first(layers, "timestamp_micros", "event_timestamp"))
    if not (micros.isascii() and micros.isdigit()) or len(micros) > _MAX_MICROS_DIGITS:
        return None
    return datetime.fromtimestamp(int(micros) / 1_000_000, UTC)


def _first(layers: tuple[Payload, ...], *names: str) -> object:
    return next((layer[name] for layer in layers for name in names if layer.get(name) is not None), None)


def _object(event: Payload, name: str) -> Payload | None:
    value = event.get(name)
    return value if isinstance(value, Mapping) else None


def _text(value: object) -> str:
    """Text and numbers as text, anything else as nothing."""
    return str(value) if isinstance(value, str | int | float) else ""


def _present(event: Event) -> Event:
    return {name: value for name, value in event.items() if value not in (None, "")}
