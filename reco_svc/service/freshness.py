"""Use case: how old is what the answers are made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class FreshnessEntry:
    """`as_of` is the last change that is in the answers; `age_s` seconds since, -1 for never; `note` is for people."""

    name: str
    as_of: datetime | None
    age_s: float
    note: str


def entry(name: str, as_of: datetime | None, note: str, now: datetime) -> FreshnessEntry:
    """An entry with its age at `now`; a time in the future counts as age 0."""
    age_s = -1.0 if as_of is None else max(0.0, (now - as_of).total_seconds())
    return FreshnessEntry(name, as_of, age_s, note)


def by_name(entries: Sequence[FreshnessEntry]) -> list[FreshnessEntry]:
    """The order of answers."""
    return sorted(entries, key=lambda e: e.name)
