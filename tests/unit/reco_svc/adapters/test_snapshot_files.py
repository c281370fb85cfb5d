"""Snapshots on disk: what was written comes back, and what an earlier release wrote can be read."""

from pathlib import Path

import numpy as np
import orjson

from reco_svc.adapters.snapshot_files import load_snapshot, save_snapshot
from reco_svc.domain.fading import Fading
from reco_svc.domain.model import Product, Strategy
from reco_svc.domain.question import Kind
from reco_svc.domain.reach import Place, Reach
from reco_svc.domain.snapshot import Graph, SessionIndex, Snapshot, index_of
from reco_svc.domain.sources.session import neighbour_scores

REACH = Reach(np.arange(12, dtype=np.int32).reshape(4, 3), {"auto": Place(1, 30)})
LOOKED_FOR = (np.array([0]), np.ones(1, np.float32))


def written(folder: Path) -> Snapshot:
    """Three products and two sessions, of which the second counts little for earlier visits."""
    vectors = np.eye(3, 4, dtype=np.float32)
    made = Snapshot.of_content([Product(f"p{at}", f"Product {at}") for at in range(3)], vectors, Graph.empty(3))
    index = index_of([[0, 1], [0, 2]], np.ones(3, np.float32))
    arrays = (index.session_ptr, index.item_rows, index.item_ptr, index.sessions, index.idf, index.weight)
    sessions = SessionIndex(*arrays, np.array([1.0, 0.01], np.float32))
    values = {name: getattr(made, name) for name in made.__slots__}
    snapshot = Snapshot(**{**values, "sessions": sessions, "fading": Fading(long=33), "reach": REACH})
    save_snapshot(snapshot, folder)
    return snapshot


def votes(snapshot: Snapshot, *, past: bool) -> list[float]:
    """Of the products 1 and 2."""
    rows, scores, _ = neighbour_scores((snapshot.sessions,), *LOOKED_FOR, past=past)
    found = dict(zip(rows.tolist(), scores.tolist(), strict=True))
    return [found[1], found[2]]


def test_what_suits_visits_and_earlier_ones_comes_back(tmp_path: Path) -> None:
    made = written(tmp_path)
    read = load_snapshot(tmp_path, "v")
    assert (read.fading.long, votes(read, past=True)) == (33, votes(made, past=True))
    assert votes(read, past=True) != votes(read, past=False)


def test_a_snapshot_from_before_sessions_aged_apart_counts_them_alike(tmp_path: Path) -> None:
    written(tmp_path)
    (tmp_path / "sessions.past_weight.npy").unlink()
    about = orjson.loads((tmp_path / "about.json").read_bytes())
    del about["fading"]["long"]
    (tmp_path / "about.json").write_bytes(orjson.dumps(about))
    read = load_snapshot(tmp_path, "v")
    assert votes(read, past=True) == votes(read, past=False)
    assert read.fading.long == Fading().long


def test_what_few_lists_have_comes_back(tmp_path: Path) -> None:
    written(tmp_path)
    reach = load_snapshot(tmp_path, "v").reach
    assert (reach.shown.tolist(), reach.places) == (REACH.shown.tolist(), {"auto": Place(1, 30)})


def test_a_snapshot_from_before_kinds_were_counted_apart_counts_them_alike(tmp_path: Path) -> None:
    written(tmp_path)
    (tmp_path / "reach.shown_by_kind.npy").unlink()
    np.save(tmp_path / "reach.shown.npy", np.array([5, 0, 2], np.int32))
    reach = load_snapshot(tmp_path, "v").reach
    assert [reach.of(Strategy.AUTO, kind).shown.tolist() for kind in Kind] == 4 * [[5, 0, 2]]
    assert reach.of(Strategy.AUTO, Kind.LONG).place == reach.of(Strategy.AUTO, Kind.VISIT).place == Place(1, 30)


def test_a_release_from_before_kinds_were_counted_apart_finds_no_counts_that_it_could_not_read(tmp_path: Path) -> None:
    written(tmp_path)
    assert not (tmp_path / "reach.shown.npy").exists()


def test_a_snapshot_from_before_lists_had_a_reach_leaves_them_as_they_are(tmp_path: Path) -> None:
    written(tmp_path)
    (tmp_path / "reach.shown_by_kind.npy").unlink()
    assert not load_snapshot(tmp_path, "v").reach.places
