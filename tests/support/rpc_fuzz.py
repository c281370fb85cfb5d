"""Generated requests for every rpc: random messages by descriptor, extreme values first of all."""

from __future__ import annotations

import math
import random
from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

TEXTS = (
    "",
    " ",
    "a",
    "x" * 129,
    "x" * 20_000,
    "\0",
    "../../etc/passwd",
    "' OR 1=1 --",
    "<script>alert(1)</script>",
    "%s%n{0}${jndi:x}",
    "price < 50 AND",
    "((((((((((" * 50,
    "NOT " * 300 + "a = 1",
    "\u202e\ufeff\U0001f9e8",
    "a > b > c",
    "EUR",
    "2026-01-31T00:00:00Z",
)
INTEGERS = (0, 1, -1, 2**31 - 1, -(2**31), 2**63 - 1, -(2**63))
FLOATS = (0.0, -0.0, 1.5, -1.0, math.inf, -math.inf, math.nan, 1e308, 5e-324)
_BOUNDS = {
    FieldDescriptor.CPPTYPE_INT32: (-(2**31), 2**31 - 1),
    FieldDescriptor.CPPTYPE_UINT32: (0, 2**32 - 1),
    FieldDescriptor.CPPTYPE_INT64: (-(2**63), 2**63 - 1),
    FieldDescriptor.CPPTYPE_UINT64: (0, 2**64 - 1),
}
MAX_DEPTH = 4


def random_message(message: Message, rng: random.Random, depth: int = 0) -> Message:
    """Fills about half of the fields."""
    for field in message.DESCRIPTOR.fields:
        if rng.random() < 0.5 or (field.message_type and depth >= MAX_DEPTH):
            continue
        if field.is_repeated:
            _fill_repeated(message, field, rng, depth)
        elif field.message_type:
            random_message(getattr(message, field.name), rng, depth + 1)
            getattr(message, field.name).SetInParent()
        else:
            setattr(message, field.name, _scalar(field, rng))
    return message


def _fill_repeated(message: Message, field: FieldDescriptor, rng: random.Random, depth: int) -> None:
    target: Any = getattr(message, field.name)
    entry: Descriptor | None = field.message_type
    for _ in range(rng.choice((1, 1, 2, 3, 30))):
        if entry is not None and entry.GetOptions().map_entry:
            key, value = _scalar(entry.fields_by_name["key"], rng), entry.fields_by_name["value"]
            if value.message_type:
                random_message(target[key], rng, depth + 1)
            else:
                target[key] = _scalar(value, rng)
        elif entry is not None:
            random_message(target.add(), rng, depth + 1)
        else:
            target.append(_scalar(field, rng))


def _scalar(field: FieldDescriptor, rng: random.Random) -> Any:
    kind = field.cpp_type
    if kind == FieldDescriptor.CPPTYPE_STRING:
        text = rng.choice(TEXTS)
        return text.encode() if field.type == FieldDescriptor.TYPE_BYTES else text
    if kind == FieldDescriptor.CPPTYPE_BOOL:
        return rng.random() < 0.5
    if kind == FieldDescriptor.CPPTYPE_ENUM:
        return rng.choice((*(v.number for v in field.enum_type.values), 99))
    if kind in (FieldDescriptor.CPPTYPE_DOUBLE, FieldDescriptor.CPPTYPE_FLOAT):
        value = rng.choice(FLOATS)
        return value if kind == FieldDescriptor.CPPTYPE_DOUBLE or abs(value) < 1e38 or math.isinf(value) else 0.0
    low, high = _BOUNDS[kind]
    return min(max(rng.choice(INTEGERS), low), high)
