"""Stores for a training whose traces are not kept: embeddings and the registry of models, in memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np

from reco_svc.domain.model import Model, TrainingRun, TrainingState
from reco_svc.domain.ports import Vectors


class MemoryEmbeddings:
    """See `domain.ports.EmbeddingStore`."""

    def __init__(self) -> None:
        self._vectors: dict[tuple[str, str], Vectors] = {}

    def get(self, embedder: str, hashes: Sequence[str]) -> Mapping[str, Vectors]:
        """See the port."""
        return {h: self._vectors[embedder, h] for h in hashes if (embedder, h) in self._vectors}

    def put(self, embedder: str, hashes: Sequence[str], vectors: Vectors) -> None:
        """See the port."""
        for content_hash, vector in zip(hashes, vectors, strict=True):
            self._vectors.setdefault((embedder, content_hash), np.array(vector, np.float32))


class MemoryRegistry:
    """See `domain.ports.ModelRegistry`. One run at a time; `begin` starts it."""

    def __init__(self) -> None:
        self._models: dict[str, Model] = {}
        self._run: TrainingRun | None = None

    def begin(self) -> TrainingRun:
        """A run that is at work."""
        run, _ = self.start_run("", False)
        self._run = replace(run, state=TrainingState.RUNNING)
        return self._run

    def add_model(self, model: Model) -> None:
        """See the port."""
        self._models[model.version] = model

    def set_active(self, version: str) -> None:
        """See the port."""
        self._models = {v: replace(m, active=v == version) for v, m in self._models.items()}

    def models(self, *, limit: int, before_version: str = "") -> Sequence[Model]:
        """See the port."""
        found = [m for v, m in self._models.items() if not before_version or v < before_version]
        return sorted(found, key=lambda m: m.version, reverse=True)[:limit]

    def model(self, version: str) -> Model | None:
        """See the port."""
        return self._models.get(version)

    def start_run(self, note: str, force: bool) -> tuple[TrainingRun, bool]:
        """See the port."""
        now = datetime.now(UTC)
        self._run = TrainingRun("only", TrainingState.QUEUED, "", 0.0, "", "", now, None, {}, note, force)
        return self._run, True

    def claim_run(self, run_id: str) -> TrainingRun | None:
        """See the port."""
        return self.run(run_id)

    def heartbeat(self, run_id: str) -> None:
        """See the port."""

    def run(self, run_id: str) -> TrainingRun | None:
        """See the port."""
        return self._run

    def runs(self, *, limit: int) -> Sequence[TrainingRun]:
        """See the port."""
        return [self._run][:limit] if self._run else []

    def update_run(self, run: TrainingRun) -> None:
        """See the port."""
        self._run = run
