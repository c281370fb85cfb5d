"""What the recommender needs from outside. Each port has an embedded adapter and, later, a production one.

Every method may raise `meshkit.errors.Unavailable` when its store is away. All are thread-safe.
"""

from __future__ import annotations

from collections.abc import Collection, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

from reco_svc.domain.model import (
    EventType,
    Interaction,
    Model,
    Product,
    ProductChange,
    RuleSet,
    SessionStep,
    TrainingRun,
)

Vectors: TypeAlias = npt.NDArray[np.float32]
Rows: TypeAlias = npt.NDArray[np.int64]
Ints: TypeAlias = npt.NDArray[np.int32]
Mask: TypeAlias = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class AppendReport:
    """`inserted` event ids were new; the rest were in the log already."""

    inserted: frozenset[str]
    duplicate: int


@dataclass(frozen=True, slots=True)
class InteractionColumns:
    """A stretch of the log in columns, all of length n, in order of (at, event_id).

    `at_s` is Unix time in seconds; `type` holds EventType numbers; `price` is NaN where unknown.
    """

    visitor_id: Sequence[str]
    session_id: Sequence[str]
    order_id: Sequence[str]
    product_id: Sequence[str]
    type: npt.NDArray[np.int8]
    at_s: npt.NDArray[np.int64]
    quantity: npt.NDArray[np.int32]
    price: npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class HourlyCount:
    """Events of one kind on one product in one hour (`hour` = Unix time // 3600). `revision` grows with each change."""

    product_id: str
    type: EventType
    hour: int
    events: int
    revision: int


class InteractionLog(Protocol):
    """Everything visitors did, once per event_id, with hourly counters kept in the same transaction."""

    def append(self, interactions: Sequence[Interaction]) -> AppendReport:
        """Stores what is new and counts it, all or nothing. Events of an erased visitor from before the erasure are
        dropped, and so are events of months that were forgotten (both count as duplicate)."""
        ...

    def scan(self, since: datetime | None = None, *, chunk: int = 100_000) -> Iterator[InteractionColumns]:
        """The log from `since` on, in order of (at, event_id), in chunks."""
        ...

    def count(self) -> int:
        """Events in the log."""
        ...

    def latest_at(self) -> datetime | None:
        """Time of the newest event; None: empty."""
        ...

    def counts_after(self, revision: int, *, limit: int = 10_000) -> Sequence[HourlyCount]:
        """Counters that changed after `revision`, in revision order."""
        ...

    def recent(
        self, since: datetime, *, limit: int = 50_000, known: Container[str] = frozenset()
    ) -> Sequence[Interaction]:
        """The newest `limit` events since a time, oldest first (to rebuild sessions after a restart).

        Of them, those whose id is in `known` are left out; asking again and again then costs little but for new ones.
        """
        ...

    def purchased(self, visitor_ids: Collection[str], *, limit: int = 1_000) -> Mapping[str, Sequence[str]]:
        """Of each of the visitors the `limit` products that were bought last and not sent back, newest first; nothing
        of those who bought none."""
        ...

    def erase(self, visitor_id: str, at: datetime) -> int:
        """Deletes the visitor's events and refuses those up to `at` that still come; returns how many it deleted."""
        ...


class InteractionUpkeep(Protocol):
    """What the store of an InteractionLog needs done every hour or so. Nothing is refused without it."""

    def forget_before(self, before: datetime) -> int:
        """Drops every month (UTC) that ended by `before`, with its counters, and refuses its events from then on;
        returns how many events went. `counts_after` does not tell of it."""
        ...

    def prepare(self, now: datetime) -> None:
        """Makes room for the months to come, and sorts what imports have brought."""
        ...


@dataclass(frozen=True, slots=True)
class ReadSessions:
    """Steps by visitor, oldest first; unknown and silent visitors are left out. `degraded`: some may be missing."""

    steps: Mapping[str, Sequence[SessionStep]]
    degraded: bool = False


class SessionStore(Protocol):
    """Recent steps of each visitor; at most 100 kept, forgotten after 30 minutes of silence (configurable).

    All but `read` may block and are called from threads; `read` is awaited on the event loop and never blocks it.
    """

    def append(self, steps: Mapping[str, Sequence[SessionStep]], now: datetime) -> None:
        """Adds steps at the end of visitors' sessions."""
        ...

    async def read(self, visitor_ids: Collection[str], now: datetime) -> ReadSessions:
        """The sessions of many visitors at once, in one round trip where there is one to make."""
        ...

    def erase(self, visitor_id: str) -> int:
        """Forgets; returns how many steps there were. Unavailable: ask again, steps may be left elsewhere."""
        ...

    def is_blank(self) -> bool:
        """True until `restore` was called: what visitors did lately has to be read from the log."""
        ...

    def restore(self, sessions: Mapping[str, Sequence[SessionStep]], now: datetime) -> None:
        """Sessions as the log has them, steps with times. Sessions that are there already stay as they are."""
        ...


class PurchaseHistory(Protocol):
    """What visitors bought before this session. Read on the hot path: memory only, never a store."""

    def recent(self, visitor_id: str, now: datetime) -> Sequence[str]:
        """Products bought and not sent back, newest first; empty while they are not in memory yet."""
        ...


class SeenEvents(Protocol):
    """Event ids accepted lately, so that a repeat is answered `duplicate` at once. The log stays the last word."""

    def add_new(self, event_ids: Sequence[str]) -> Sequence[bool]:
        """For each id, in order: True if it was not known before (it is now)."""
        ...

    def forget(self, event_ids: Sequence[str]) -> None:
        """Takes back ids whose events could not be made durable."""
        ...


class RuleRepository(Protocol):
    """Merchandising rules."""

    def version(self) -> str:
        """Version of the current set; cheap, asked every second."""
        ...

    def current(self) -> RuleSet:
        """All enabled rules."""
        ...


class ModelRegistry(Protocol):
    """Trained models and training runs, as shown to people. What answers is what SnapshotStore says is active."""

    def add_model(self, model: Model) -> None:
        """Records a new snapshot."""
        ...

    def set_active(self, version: str) -> None:
        """Marks one model active, all others not."""
        ...

    def models(self, *, limit: int, before_version: str = "") -> Sequence[Model]:
        """Newest first."""
        ...

    def model(self, version: str) -> Model | None:
        """One model."""
        ...

    def start_run(self, note: str, force: bool) -> tuple[TrainingRun, bool]:
        """A new QUEUED run and True; or the one that waits or runs already and False.

        A RUNNING run that was silent for a minute lost its worker: it is marked FAILED and no longer in the way."""
        ...

    def claim_run(self, run_id: str) -> TrainingRun | None:
        """Takes a run to work on it: RUNNING from now on. Only one that is QUEUED, or RUNNING but silent for a minute;
        None for any other."""
        ...

    def heartbeat(self, run_id: str) -> None:
        """The worker of a RUNNING run is alive; to be said every few seconds. `update_run` says it too."""
        ...

    def run(self, run_id: str) -> TrainingRun | None:
        """A run by id, or the newest for "latest"."""
        ...

    def runs(self, *, limit: int) -> Sequence[TrainingRun]:
        """Newest first."""
        ...

    def update_run(self, run: TrainingRun) -> None:
        """Stores its new state, unless it has ended: SUCCEEDED and FAILED are final."""
        ...


class EmbeddingStore(Protocol):
    """Vectors by embedder name and content hash, so that an unchanged text is embedded once."""

    def get(self, embedder: str, hashes: Sequence[str]) -> Mapping[str, Vectors]:
        """Vectors of shape (dim,) for the hashes that are known."""
        ...

    def put(self, embedder: str, hashes: Sequence[str], vectors: Vectors) -> None:
        """Stores vectors of shape (n, dim); an existing hash is left alone."""
        ...


class Embedder(Protocol):
    """Turns text into L2-normalised vectors."""

    name: str  # "minilm-1110a243" or "lsa-<hash of its vocabulary>"
    dim: int

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Shape (len(texts), dim), float32; an empty text becomes the zero vector."""
        ...


class VectorIndex(Protocol):
    """Nearest neighbours by inner product over the rows of a snapshot."""

    def search(self, vector: Vectors, k: int, allowed: Mask | None) -> tuple[Rows, Vectors]:
        """Rows (k',) and similarities (k',), best first, ties by row; only rows where `allowed` is true; k' <= k."""
        ...


class SnapshotStore(Protocol):
    """Folders of trained snapshots with checksum manifests, and which of them is active."""

    def new(self) -> Path:
        """An empty temporary folder to write files to."""
        ...

    def publish(self, folder: Path, manifest: Mapping[str, object]) -> str:
        """Adds manifest.json with the SHA-256 of every file, fsyncs, renames to its version; returns the version."""
        ...

    def verified(self, version: str) -> Path:
        """The folder of a version after checking every checksum and the schema version; FailedPrecondition
        (SNAPSHOT_CORRUPT) names the first wrong file; NotFound for an unknown version."""
        ...

    def active(self) -> str:
        """Version that should answer; "" before the first activation. Cheap, asked twice a second."""
        ...

    def activate(self, version: str) -> None:
        """Atomically makes a version the active one, after `verified`."""
        ...

    def versions(self) -> Sequence[str]:
        """Newest first."""
        ...

    def prune(self, keep: int) -> Sequence[str]:
        """Deletes all but the newest `keep` and the active one; returns what went."""
        ...


class CatalogReader(Protocol):
    """Reads the catalog service."""

    def changes_after(self, revision: int, *, limit: int = 5_000) -> tuple[Sequence[ProductChange], int, bool]:
        """Changes in revision order, the revision to go on from, and whether more wait."""
        ...

    def products(self, product_ids: Sequence[str]) -> Sequence[Product]:
        """Those of the ids that exist."""
        ...
