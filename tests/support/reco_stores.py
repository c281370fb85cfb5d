"""The recommender's stores in memory, held to the same contract as the real ones (tests/contract)."""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Callable, Collection, Container, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np

from meshkit.broker.port import Message
from meshkit.errors import NotFound, Unavailable
from reco_svc.domain.model import EventType, Interaction, Model, RuleSet, TrainingRun, TrainingState
from reco_svc.domain.ports import AppendReport, HourlyCount, InteractionColumns, Vectors

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)


def interaction(event_id: str, product_id: str = "p1", **fields: object) -> Interaction:
    """A view of p1 by v1 at noon, unless told otherwise; `minute` moves it."""
    at = fields.pop("at", NOON + timedelta(minutes=int(str(fields.pop("minute", 0)))))
    given = {"type": EventType.VIEW_ITEM, "visitor_id": "v1", **fields}
    return Interaction(event_id=event_id, product_id=product_id, at=at, **given)  # type: ignore[arg-type]


class MemoryInteractionLog:
    """InteractionLog; set `away` to make every call raise Unavailable."""

    def __init__(self) -> None:
        self.rows: dict[str, Interaction] = {}
        self.away = False
        self._erased: dict[str, datetime] = {}
        self._counts: dict[tuple[str, EventType, int], HourlyCount] = {}
        self._retained_from = datetime(1, 1, 1, tzinfo=UTC)
        self._revision = 0

    def append(self, interactions: Sequence[Interaction]) -> AppendReport:
        self._check()
        new: dict[str, Interaction] = {}
        for i in interactions:
            erased = self._erased.get(i.visitor_id)
            known = i.event_id in self.rows or i.event_id in new or i.at < self._retained_from
            if not known and (erased is None or i.at > erased):
                new[i.event_id] = i
        self.rows |= new
        self._count(Counter(map(_key, new.values())))
        return AppendReport(frozenset(new), len(interactions) - len(new))

    def scan(self, since: datetime | None = None, *, chunk: int = 100_000) -> Iterator[InteractionColumns]:
        self._check()
        rows = [i for i in self._sorted() if since is None or i.at >= since]
        for start in range(0, len(rows), chunk):
            yield _columns(rows[start : start + chunk])

    def count(self) -> int:
        self._check()
        return len(self.rows)

    def latest_at(self) -> datetime | None:
        self._check()
        return max((i.at for i in self.rows.values()), default=None)

    def counts_after(self, revision: int, *, limit: int = 10_000) -> Sequence[HourlyCount]:
        self._check()
        later = [c for c in self._counts.values() if c.revision > revision]
        return sorted(later, key=lambda c: c.revision)[:limit]

    def recent(
        self, since: datetime, *, limit: int = 50_000, known: Container[str] = frozenset()
    ) -> Sequence[Interaction]:
        self._check()
        return [i for i in [i for i in self._sorted() if i.at >= since][-limit:] if i.event_id not in known]

    def purchased(self, visitor_ids: Collection[str], *, limit: int = 1_000) -> Mapping[str, Sequence[str]]:
        self._check()
        return {i: bought for i in visitor_ids if (bought := self._purchased(i)[:limit])}

    def _purchased(self, visitor_id: str) -> Sequence[str]:
        net: Counter[str] = Counter()
        last: dict[str, datetime] = {}
        for i in self._sorted():
            if i.visitor_id == visitor_id and i.type in (EventType.PURCHASE, EventType.REFUND):
                net[i.product_id] += i.quantity if i.type is EventType.PURCHASE else -i.quantity
                if i.type is EventType.PURCHASE:
                    last[i.product_id] = i.at
        kept = sorted(p for p in last if net[p] > 0)
        return sorted(kept, key=lambda p: last[p], reverse=True)

    def erase(self, visitor_id: str, at: datetime) -> int:
        self._check()
        self._erased[visitor_id] = max(at, self._erased.get(visitor_id, at))
        gone = [i for i in self.rows.values() if i.visitor_id == visitor_id]
        for i in gone:
            del self.rows[i.event_id]
        self._count(Counter({key: -n for key, n in Counter(map(_key, gone)).items()}))
        return len(gone)

    def forget_before(self, before: datetime) -> int:
        self._check()
        edge = before.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        self._retained_from = max(edge, self._retained_from)
        gone = [i.event_id for i in self.rows.values() if i.at < edge]
        for event_id in gone:
            del self.rows[event_id]
        self._counts = {k: c for k, c in self._counts.items() if c.hour >= edge.timestamp() // 3600}
        return len(gone)

    def prepare(self, now: datetime) -> None:
        self._check()

    def _sorted(self) -> list[Interaction]:
        return sorted(self.rows.values(), key=lambda i: (i.at, i.event_id))

    def _count(self, changes: Mapping[tuple[str, EventType, int], int]) -> None:
        for key, n in changes.items():
            self._revision += 1
            before = self._counts[key].events if key in self._counts else 0
            self._counts[key] = HourlyCount(*key, before + n, self._revision)

    def _check(self) -> None:
        if self.away:
            raise Unavailable("database")


class MemoryRuleRepository:
    """RuleRepository; `publish` replaces the set."""

    def __init__(self, rules: RuleSet | None = None) -> None:
        self._rules = rules or RuleSet()

    def publish(self, rules: RuleSet) -> None:
        self._rules = rules

    def version(self) -> str:
        return self._rules.version

    def current(self) -> RuleSet:
        return self._rules


class MemoryModelRegistry:
    """ModelRegistry."""

    def __init__(
        self, *, silence: timedelta = timedelta(seconds=60), clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._silence = silence
        self._clock = clock
        self._models: dict[str, Model] = {}
        self._runs: dict[str, TrainingRun] = {}
        self._heard: dict[str, datetime] = {}

    def add_model(self, model: Model) -> None:
        finite = {
            name: {k: v for k, v in getattr(model, name).items() if np.isfinite(v)} for name in ("facts", "quality")
        }
        self._models[model.version] = replace(model, **finite)
        if model.active:
            self.set_active(model.version)

    def set_active(self, version: str) -> None:
        if version not in self._models:
            raise NotFound("model", version)
        self._models = {v: replace(m, active=v == version) for v, m in self._models.items()}

    def models(self, *, limit: int, before_version: str = "") -> Sequence[Model]:
        found = [m for v, m in self._models.items() if not before_version or v < before_version]
        return sorted(found, key=lambda m: m.version, reverse=True)[:limit]

    def model(self, version: str) -> Model | None:
        return self._models.get(version)

    def start_run(self, note: str, force: bool) -> tuple[TrainingRun, bool]:
        now = self._clock()
        for run in self._runs.values():
            if run.state in (TrainingState.QUEUED, TrainingState.RUNNING):
                if not self._lost(run):
                    return run, False
                self.update_run(
                    replace(run, state=TrainingState.FAILED, finished_at=now, message="its worker stopped answering")
                )
        run = TrainingRun(secrets.token_hex(8), TrainingState.QUEUED, "", 0.0, "", "", now, None, {}, note, force)
        self._runs[run.run_id] = run
        self._heard[run.run_id] = now
        return run, True

    def claim_run(self, run_id: str) -> TrainingRun | None:
        run = self._runs.get(run_id)
        if run is None or not (run.state is TrainingState.QUEUED or self._lost(run)):
            return None
        self.update_run(replace(run, state=TrainingState.RUNNING, stage="starting", progress=0.0))
        return self._runs[run_id]

    def heartbeat(self, run_id: str) -> None:
        self._heard[run_id] = self._clock()

    def run(self, run_id: str) -> TrainingRun | None:
        if run_id == "latest":
            return next(iter(self.runs(limit=1)), None)
        return self._runs.get(run_id)

    def runs(self, *, limit: int) -> Sequence[TrainingRun]:
        return sorted(self._runs.values(), key=lambda r: (r.requested_at, r.run_id), reverse=True)[:limit]

    def update_run(self, run: TrainingRun) -> None:
        present = self._runs.get(run.run_id)
        if present is not None and present.state in (TrainingState.QUEUED, TrainingState.RUNNING):
            self._runs[run.run_id] = run
            self._heard[run.run_id] = self._clock()

    def _lost(self, run: TrainingRun) -> bool:
        silent = self._clock() - self._heard[run.run_id] > self._silence
        return run.state is TrainingState.RUNNING and silent


class MemoryEmbeddingStore:
    """EmbeddingStore."""

    def __init__(self) -> None:
        self._vectors: dict[tuple[str, str], Vectors] = {}

    def get(self, embedder: str, hashes: Sequence[str]) -> Mapping[str, Vectors]:
        return {h: self._vectors[embedder, h] for h in hashes if (embedder, h) in self._vectors}

    def put(self, embedder: str, hashes: Sequence[str], vectors: Vectors) -> None:
        if len(hashes) != len(vectors):
            raise ValueError(f"{len(hashes)} hashes with {len(vectors)} vectors")
        for text_hash, vector in zip(hashes, vectors, strict=True):
            self._vectors.setdefault((embedder, text_hash), np.array(vector, np.float32))


class FakeSnapshots:
    """The part of SnapshotStore that the use cases of models need."""

    def __init__(self, *versions: str, active: str = "") -> None:
        self._versions = sorted(versions, reverse=True)
        self._active = active

    def active(self) -> str:
        return self._active

    def activate(self, version: str) -> None:
        self._active = version

    def versions(self) -> Sequence[str]:
        return self._versions


class FakeQueue:
    """The publishing side of a Broker; set `away` to refuse."""

    def __init__(self) -> None:
        self.published: list[Message] = []
        self.away = False

    def publish(self, messages: Sequence[Message]) -> None:
        if self.away:
            raise Unavailable("queue")
        self.published.extend(messages)


def _key(i: Interaction) -> tuple[str, EventType, int]:
    return i.product_id, i.type, int(i.at.timestamp()) // 3600


def _columns(rows: Sequence[Interaction]) -> InteractionColumns:
    return InteractionColumns(
        visitor_id=[i.visitor_id for i in rows],
        session_id=[i.session_id for i in rows],
        order_id=[i.order_id for i in rows],
        product_id=[i.product_id for i in rows],
        type=np.array([i.type for i in rows], np.int8),
        at_s=np.array([int(i.at.timestamp()) for i in rows], np.int64),
        quantity=np.array([i.quantity for i in rows], np.int32),
        price=np.array([np.nan if i.price is None else i.price for i in rows], np.float32),
    )
