"""What the ages in `GetFreshness` are made of."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

from meshkit.broker.spooling_broker import SpoolState
from reco_svc.domain.readiness import SourceReadiness, readiness
from reco_svc.service.freshness import FreshnessEntry, by_name, entry
from reco_svc.service.live_state import LiveState


class FreshnessReport:
    """Ages of what answers are made of, from what the process itself knows: no store is asked.

    `catalog_age_s` and `preferences_age_s` say how long ago those feeds were read to their end, None for never; `spool`
    what waits in a local file for the queue to come back.
    """

    def __init__(
        self,
        live: LiveState,
        catalog_age_s: Callable[[], float | None],
        preferences_age_s: Callable[[], float | None],
        spool: Callable[[], SpoolState] | None = None,
    ) -> None:
        self._live = live
        self._catalog_age_s = catalog_age_s
        self._preferences_age_s = preferences_age_s
        self._spool = spool

    def __call__(self) -> Sequence[FreshnessEntry]:
        """By name."""
        now, view = datetime.now(UTC), self._live.view()
        snapshot, hour = view.snapshot, view.popularity.newest_hour
        counted = None if hour < 0 else min(now, datetime.fromtimestamp((hour + 1) * 3600, UTC))
        trained = None if snapshot is None else trained_at(snapshot.version)
        embedder = f"{snapshot.embedder}, {snapshot.n:,} products" if snapshot else "no model yet"
        waiting = self._live.pending_count
        return by_name(
            [
                entry("catalog", _before(now, self._catalog_age_s()), f"{len(view.products):,} products", now),
                entry("preferences", _before(now, self._preferences_age_s()), "stated by visitors", now),
                entry("popularity", counted, "hour of the newest event counted", now),
                entry("model", trained, snapshot.version if snapshot else "no model yet", now),
                entry("index", trained, f"{embedder}, {waiting:,} vectors under way", now),
                *self._spooled(now),
            ]
        )

    def _spooled(self, now: datetime) -> list[FreshnessEntry]:
        if self._spool is None:
            return []
        state = self._spool()
        note = f"{state.depth:,} messages wait for the queue" if state.depth else "no message waits for the queue"
        return [entry("spool", _before(now, state.age_s), note, now)]

    def readiness(self) -> Sequence[SourceReadiness]:
        """The blend, then every source by name."""
        return readiness(self._live.view(), self._live.pending_count)


def trained_at(version: str) -> datetime | None:
    """The time that a model's version begins with; None if it bears none."""
    try:
        return datetime.strptime(version.partition("-")[0], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        return None


def _before(now: datetime, age_s: float | None) -> datetime | None:
    return None if age_s is None else now - timedelta(seconds=age_s)
