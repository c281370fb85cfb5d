"""What training needs of the files of a snapshot; see `service.train.SnapshotFiles`."""

from __future__ import annotations

from pathlib import Path

from reco_svc.adapters.index_building import build_index
from reco_svc.adapters.snapshot_files import load_snapshot, save_snapshot
from reco_svc.domain.ports import VectorIndex, Vectors
from reco_svc.domain.snapshot import Snapshot


class SnapshotWorkshop:
    """Builds indexes with FAISS, writes and reads folders."""

    def build_index(self, vectors: Vectors) -> tuple[VectorIndex | None, float]:
        """See service.train.SnapshotFiles."""
        return build_index(vectors) if len(vectors) else (None, 1.0)

    def save(self, snapshot: Snapshot, folder: Path) -> None:
        """See service.train.SnapshotFiles."""
        save_snapshot(snapshot, folder)

    def load(self, folder: Path, version: str) -> Snapshot:
        """See service.train.SnapshotFiles."""
        return load_snapshot(folder, version)
