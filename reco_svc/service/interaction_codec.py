"""Interactions as JSON objects: the form in which they wait in the queue (docs/queue.md).

`{"event_id", "type": "view_item", "visitor_id", "product_id", "at": "2026-01-31T08:00:00+00:00", …}`; fields that hold
their default are left out. `from_dict(to_dict(i)) == i` for every interaction.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from meshkit.errors import FailedPrecondition
from reco_svc.domain.model import EventType, Interaction

_TEXTS = ("currency", "order_id", "recommendation_id", "placement", "query", "session_id")
_TYPES = {t.name.lower(): t for t in EventType}
_NAMES = {t: name for name, t in _TYPES.items()}


def to_dict(interaction: Interaction) -> dict[str, object]:
    """The JSON object of an interaction."""
    body: dict[str, object] = {
        "event_id": interaction.event_id,
        "type": _NAMES[interaction.type],
        "visitor_id": interaction.visitor_id,
        "product_id": interaction.product_id,
        "at": interaction.at.isoformat(),
    }
    if interaction.quantity != 1:
        body["quantity"] = interaction.quantity
    if interaction.price is not None:
        body["price"] = interaction.price
    if interaction.position is not None:
        body["position"] = interaction.position
    for name in _TEXTS:
        if text := getattr(interaction, name):
            body[name] = text
    return body


def from_dict(body: object) -> Interaction:
    """The interaction of a JSON object; FailedPrecondition (BAD_MESSAGE) names what is missing or wrong."""
    if not isinstance(body, Mapping):
        raise FailedPrecondition("an event is not a JSON object", reason="BAD_MESSAGE")
    try:
        return Interaction(
            event_id=_text(body["event_id"]),
            type=_TYPES[_text(body["type"])],
            visitor_id=_text(body["visitor_id"]),
            product_id=_text(body["product_id"]),
            at=_time(body["at"]),
            quantity=int(body.get("quantity", 1)),
            price=None if body.get("price") is None else float(body["price"]),
            position=None if body.get("position") is None else int(body["position"]),
            **{name: _text(body.get(name, "")) for name in _TEXTS},
        )
    except (KeyError, TypeError, ValueError) as error:
        what = f"{type(error).__name__}: {error}"
        raise FailedPrecondition(f"an event of the queue can not be read ({what})", reason="BAD_MESSAGE") from None


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"text expected, not {value!r}")
    return value


def _time(value: object) -> datetime:
    at = datetime.fromisoformat(_text(value))
    if at.tzinfo is None:
        raise ValueError(f"{value!r} has no time zone")
    return at.astimezone(UTC)
