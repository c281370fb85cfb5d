"""The fields of one event as an interaction, and the ids of events that have none."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from hashlib import blake2b

from google.protobuf.timestamp_pb2 import Timestamp
from recomesh.reco.v1 import reco_pb2

from feeds.amounts import read_amount
from feeds.checks import checked
from feeds.lines import refuse_file
from feeds.moments import read_moment
from meshkit.errors import InvalidArgument
from meshkit.product_card import money_from_float

TYPES: dict[str, reco_pb2.EventType.ValueType] = {
    name.removeprefix("EVENT_TYPE_").lower(): value for name, value in reco_pb2.EventType.items() if value
}
_TEXTS = ("event_id", "visitor_id", "product_id", "order_id", "recommendation_id", "placement", "query", "session_id")
FIELDS = (*_TEXTS, "type", "at", "quantity", "price", "currency", "position")
_ALIASES = {"type": ("event_type", "event"), "at": ("timestamp", "time")}
_MAX_INT32 = 2**31 - 1


def event_columns(columns: Sequence[str], mapping: Mapping[str, str]) -> dict[str, str]:
    """Event field -> column of a CSV, from the mapping, then by name and alias; columns that fit nothing are ignored.

    Raises InvalidArgument when the mapping names an unknown field or column, and when no column holds a required field.
    """
    for field, column in mapping.items():
        if field not in FIELDS:
            raise InvalidArgument.of("mapping", f"there is no event field {field!r}; fields are {', '.join(FIELDS)}")
        if column not in columns:
            raise InvalidArgument.of("mapping", f"the file has no column {column!r}; it has {', '.join(columns)[:500]}")
    found = {field: name for field in FIELDS if (name := _column_of(field, columns, mapping)) is not None}
    missing = [field for field in ("visitor_id", "product_id", "at") if field not in found]
    if missing:
        raise refuse_file(
            f"has no column for {', '.join(missing)}; name it in the mapping (--map {missing[0]}=COLUMN). "
            f"Its columns are {', '.join(columns)[:500]}"
        )
    return found


def _column_of(field: str, columns: Sequence[str], mapping: Mapping[str, str]) -> str | None:
    names: Iterable[str] = (mapping[field],) if field in mapping else (field, *_ALIASES.get(field, ()))
    return next((name for name in names if name in columns), None)


def event_from_fields(fields: Mapping[str, object], currency: str) -> reco_pb2.Interaction:
    """The interaction; null and empty text are "not set". Raises InvalidArgument that names the wrong field."""
    unknown = next((name for name in fields if name not in FIELDS), None)
    if unknown is not None:
        raise InvalidArgument.of(unknown[:100], f"unknown field; an event has {', '.join(FIELDS)}")
    event = reco_pb2.Interaction(type=_type(fields.get("type")))
    for name in _TEXTS:
        if (value := fields.get(name)) is not None:
            setattr(event, name, _text(name, value))
    _require(event)
    event.at.CopyFrom(_moment(fields.get("at")))
    if _is_set(fields.get("quantity")):
        event.quantity = _whole("quantity", fields["quantity"], 1_000_000)
    if _is_set(fields.get("position")):
        event.position = _whole("position", fields["position"], _MAX_INT32)
    if _is_set(fields.get("price")):
        _set_price(event, fields["price"], _text("currency", fields.get("currency") or "") or currency)
    return event


def _require(event: reco_pb2.Interaction) -> None:
    if not event.visitor_id:
        raise InvalidArgument.of("visitor_id", "is required")
    if not event.product_id and event.type != reco_pb2.EVENT_TYPE_SEARCH:
        raise InvalidArgument.of("product_id", "is required")


def _is_set(value: object) -> bool:
    return value is not None and value != ""


def _type(value: object) -> reco_pb2.EventType.ValueType:
    known = TYPES.get(value.strip().lower()) if isinstance(value, str) else None
    if known is None:
        raise InvalidArgument.of("type", f"must be one of {', '.join(TYPES)}")
    return known


def _text(name: str, value: object) -> str:
    if not isinstance(value, str):
        raise InvalidArgument.of(name, "must be text")
    return value.strip()


def _moment(value: object) -> Timestamp:
    if not _is_set(value):
        raise InvalidArgument.of("at", "is required in a file")
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise InvalidArgument.of("at", "must be epoch seconds, milliseconds or ISO 8601 text")
    return checked("at", value, read_moment)


def _whole(name: str, value: object, most: int) -> int:
    """Whole numbers may be written as 6.0: data frames do that to columns with gaps."""
    try:
        number = float(value) if isinstance(value, str | int | float) and not isinstance(value, bool) else 0.0
    except (ValueError, OverflowError):
        number = 0.0
    if not 1 <= number <= most or number != int(number):
        raise InvalidArgument.of(name, f"must be a whole number from 1 to {most}")
    return int(number)


def _set_price(event: reco_pb2.Interaction, value: object, currency: str) -> None:
    amount, named = checked("price", str(value), read_amount)
    if named or currency:
        event.price.CopyFrom(checked("price", amount, lambda a: money_from_float(a, named or currency)))


class EventIds:
    """Ids from content: the same row has the same id in every run, its n-th repetition in a file the n-th id.

    Remembers 64 bits of each row, about 60 bytes of memory.
    """

    def __init__(self) -> None:
        self._seen: set[int] = set()
        self._repeats: Counter[int] = Counter()

    def next_for(self, event: reco_pb2.Interaction) -> str:
        """The id of this occurrence: 35 characters."""
        content = event.SerializeToString(deterministic=True)
        digest = blake2b(content, digest_size=16).digest()
        key = int.from_bytes(digest[:8], "big")
        if key not in self._seen:
            self._seen.add(key)
            return f"row{digest.hex()}"
        self._repeats[key] += 1
        again = blake2b(content + self._repeats[key].to_bytes(8, "big"), digest_size=16)
        return f"row{again.hexdigest()}"
