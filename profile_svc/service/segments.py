"""Who is in which segment: define, list, count, evaluate.

A segment is an AIP-160 filter over preferences, evaluated when preferences are read, so there is no membership to keep
in step. Counts are kept by following the change feed: a count costs what changed since the last one.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import structlog

from meshkit.errors import FailedPrecondition, InvalidArgument, NotFound
from meshkit.filtering import PREFERENCE_FIELDS, parse, predicate
from profile_svc.domain.model import Preferences, Segment
from profile_svc.domain.ports import PreferenceRepository, SegmentRepository
from profile_svc.domain.rules import MAX_SEGMENTS, checked_segment, visitor_hash

log = structlog.get_logger()
PAGE = 5_000


@dataclass(frozen=True, slots=True)
class CountedSegment:
    """A segment with the number of visitors in it now."""

    segment: Segment
    visitor_count: int


def facts(preferences: Preferences) -> Mapping[str, object]:
    """Preferences as a record that a filter is evaluated on."""
    return {
        "categories": preferences.categories,
        "brands": preferences.brands,
        "excluded_categories": preferences.excluded_categories,
        "price_min": preferences.price_min.amount if preferences.price_min else None,
        "price_max": preferences.price_max.amount if preferences.price_max else None,
        "opted_out": preferences.opted_out,
    }


class Segments:
    """All segments, compiled. Definitions are read again after `max_age_s`, since another replica may change them."""

    def __init__(
        self, segments: SegmentRepository, preferences: PreferenceRepository, *, max_age_s: float = 1.0
    ) -> None:
        self._segments = segments
        self._preferences = preferences
        self._max_age_s = max_age_s
        self._lock = threading.Lock()
        self._compiled: tuple[tuple[Segment, Callable[[Mapping[str, object]], bool]], ...] = ()
        self._read_at = float("-inf")
        self._tally = _Tally(())

    def names_of(self, preferences: Preferences) -> tuple[str, ...]:
        """Names of the segments a visitor is in, by name; none for one who opted out or stated nothing."""
        if preferences.opted_out or preferences.updated_at is None:
            return ()
        record = facts(preferences)
        return tuple(segment.name for segment, is_in in self._current() if is_in(record))

    def count(self) -> Sequence[CountedSegment]:
        """All segments by name."""
        with self._lock:
            compiled = self._current()
            definitions = tuple(segment for segment, _ in compiled)
            if self._tally.definitions != definitions:
                self._tally = _Tally(definitions)
            self._tally.follow(self._preferences, self.names_of)
            return [CountedSegment(s, self._tally.counts[s.name]) for s in definitions]

    def of_visitor(self, preferences: Preferences) -> Sequence[CountedSegment]:
        """Segments of one visitor by name, with their counts."""
        names = set(self.names_of(preferences))
        return [counted for counted in self.count() if counted.segment.name in names]

    def get(self, name: str) -> Segment:
        """NotFound for an unknown name."""
        for segment in self._segments.all():
            if segment.name == name:
                return segment
        raise NotFound("segment", name)

    def define(self, segment: Segment) -> Segment:
        """Creates or replaces a segment; InvalidArgument (FILTER_SYNTAX with the column) if its filter is wrong."""
        segment = checked_segment(segment)
        parse(segment.filter, PREFERENCE_FIELDS)
        known = self._segments.all()
        if len(known) >= MAX_SEGMENTS and segment.name not in {s.name for s in known}:
            raise FailedPrecondition(f"there are {MAX_SEGMENTS:,} segments already; delete one first")
        self._segments.save(segment)
        self._changed()
        return segment

    def delete(self, name: str) -> None:
        """NotFound for an unknown name."""
        self._segments.delete(self.get(name).name)
        self._changed()

    def try_filter(self, text: str) -> int:
        """Visitors a filter would match now, among the first 5,000; InvalidArgument (FILTER_SYNTAX) if it is wrong."""
        is_in = predicate(parse(text, PREFERENCE_FIELDS))
        sample = self._preferences.visitors(containing="", after_id="", limit=PAGE)
        return sum(not p.opted_out and is_in(facts(p)) for p in sample)

    def finish_touch(self) -> None:
        """Sends every visitor along the feed again if a segment changed and a crash came between."""
        if self._segments.touch_due():
            self._preferences.touch_all()

    def _changed(self) -> None:
        self._read_at = float("-inf")
        self.finish_touch()

    def _current(self) -> Sequence[tuple[Segment, Callable[[Mapping[str, object]], bool]]]:
        if time.monotonic() - self._read_at > self._max_age_s:
            self._compiled = tuple(_compiled(self._segments.all()))
            self._read_at = time.monotonic()
        return self._compiled


def _compiled(segments: Sequence[Segment]) -> Iterator[tuple[Segment, Callable[[Mapping[str, object]], bool]]]:
    for segment in segments:
        try:
            yield segment, predicate(parse(segment.filter, PREFERENCE_FIELDS))
        except InvalidArgument as error:  # stored by an older version whose grammar took it
            log.warning("segment_skipped", segment=segment.name, error=error.message)


class _Tally:
    """Counts per segment for fixed definitions, kept by following the feed. Visitors are known by hash."""

    def __init__(self, definitions: tuple[Segment, ...]) -> None:
        self.definitions = definitions
        self.counts: Counter[str] = Counter()
        self._revision = 0
        self._names: dict[str, tuple[str, ...]] = {}

    def follow(self, repository: PreferenceRepository, names_of: Callable[[Preferences], tuple[str, ...]]) -> None:
        """Applies what changed since the last time."""
        while changes := repository.changes_after(self._revision, limit=PAGE):
            for change in changes:
                key = visitor_hash(change.visitor_id)
                self.counts.subtract(self._names.pop(key, ()))
                if change.preferences is not None and (names := names_of(change.preferences)):
                    self._names[key] = names
                    self.counts.update(names)
            self._revision = changes[-1].revision
