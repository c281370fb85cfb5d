"""Points in time as files write them."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime
from functools import lru_cache

from google.protobuf.timestamp_pb2 import Timestamp

_NUMBER = re.compile(r"-?\d+(?:\.\d+)?", re.ASCII)
_MILLISECONDS_FROM = 10**11  # as seconds that would be the year 5138
_MIN_SECONDS, _MAX_SECONDS = -62_135_596_800, 253_402_300_799


def read_moment(value: str | float) -> Timestamp:
    """A time as epoch seconds or milliseconds (number or digits) or ISO 8601; without a zone it is UTC.

    Raises ValueError with what is allowed.
    """
    if isinstance(value, str):
        seconds, nanos = _parse(value.strip())
    else:
        seconds, nanos = _from_epoch(float(value))
    return Timestamp(seconds=seconds, nanos=nanos)


@lru_cache(maxsize=65_536)
def _parse(text: str) -> tuple[int, int]:
    if _NUMBER.fullmatch(text):
        return _from_epoch(float(text))
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError('must be epoch seconds, milliseconds or ISO 8601 such as "2026-01-31T08:00:00Z"') from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    delta = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return delta.days * 86_400 + delta.seconds, delta.microseconds * 1_000


def _from_epoch(number: float) -> tuple[int, int]:
    if math.isfinite(number) and abs(number) >= _MILLISECONDS_FROM:
        number /= 1_000
    if not _MIN_SECONDS <= number <= _MAX_SECONDS:
        raise ValueError("must lie between the years 1 and 9999")
    seconds = math.floor(number)
    return seconds, round((number - seconds) * 1_000) % 1_000 * 1_000_000
