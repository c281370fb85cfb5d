"""Reading message bodies. One that is not as docs/queue.md says is FailedPrecondition (BAD_MESSAGE)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

import orjson

from meshkit.broker.port import Message
from meshkit.errors import FailedPrecondition

T = TypeVar("T")


def read_body(message: Message) -> Mapping[str, Any]:
    """The JSON object of a message."""
    try:
        body = orjson.loads(message.body)
    except orjson.JSONDecodeError as error:
        raise _bad(f"the message is not JSON: {error}") from None
    if not isinstance(body, dict):
        raise _bad("the message is not a JSON object")
    return body


def text_of(body: Mapping[str, Any], field: str) -> str:
    """A field that must be text, and not empty."""
    value = body.get(field)
    if not isinstance(value, str) or not value:
        raise _bad(f"{field}: a text that is not empty")
    return value


def list_of(body: Mapping[str, Any], field: str, kind: type[T]) -> list[T]:
    """A field that must be a list whose entries are all of one kind."""
    values = body.get(field)
    if not isinstance(values, list) or not all(isinstance(value, kind) for value in values):
        raise _bad(f"{field}: a list of {'texts' if kind is str else 'objects'}")
    return values


def _bad(text: str) -> FailedPrecondition:
    return FailedPrecondition(text, reason="BAD_MESSAGE")
