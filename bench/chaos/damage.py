"""Rows about what is kept: snapshots that are no good, a disk that takes no more, visitors who want to be nobody."""

from __future__ import annotations

import hashlib
import json
import os
import resource
import shutil
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import psutil

from bench.chaos.cells import Row, figures, made
from bench.chaos.client import ChaosClient
from bench.chaos.ledger import Ledger, availability
from bench.chaos.rig import Fault, Rig, wait_for
from bench.chaos.traffic import shoppers

RATE = 50.0
NOTICED_S = 3.0  # in which a recommender looks at the active snapshot several times
FULL_S = 4.0


def corrupt_snapshots(rig: Rig, product_ids: Sequence[str]) -> list[Row]:
    """The active snapshot is replaced by one that is no good, in four ways: none is loaded, nobody notices."""
    rig.mesh.recomesh("train")
    rig.settle()
    return [_corrupt(rig, product_ids, what, spoil) for what, spoil in _SPOILED.items()]


def full_disk(rig: Rig, product_ids: Sequence[str]) -> tuple[Row, Ledger]:
    """No process of the mesh may add to any file: answers come from memory, events are refused or kept elsewhere."""
    processes = [psutil.Process(pid) for pid in map(rig.pid, ("edge", "catalog", "profile", "reco-1", "reco-2")) if pid]

    def fill() -> None:
        for process in processes:
            process.rlimit(psutil.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
        time.sleep(FULL_S)

    def free() -> None:
        for process in processes:
            process.rlimit(psutil.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))

    ledger, began, ended = _under_load(rig, product_ids, "full-disk", fill, free)
    span = ledger.between(began, ended)
    found = figures(span, [e for e in span if e.kind != "event"], began)
    broken = [f"errors {found['errors']:g} > 0.001"] if found["errors"] > 0.001 else []
    promise = "answers from memory; an event is refused before it is acknowledged"
    return made("disk full", "no file grows", promise, found, broken, availability(ledger.entries, 0, ended)), ledger


def opted_out(rig: Rig, product_ids: Sequence[str]) -> Row:
    """A visitor who opted out stays nobody while the profile service is away."""
    visitor, seen = "opted-out-in-chaos", product_ids[0]
    event = {"event_id": f"{visitor}-1", "type": "add_to_cart", "visitor_id": visitor, "product_id": seen}
    rig.http.post("/v1/events", json={"events": [event]}).raise_for_status()
    wait_for(lambda: _ids(rig, visitor) != _ids(rig, ""), "an answer that depends on the visitor")
    rig.http.patch(f"/v1/profiles/{visitor}", json={"opted_out": True}).raise_for_status()
    # both recommenders take turns: each has to have heard of it
    wait_for(lambda: all(_ids(rig, visitor) == _ids(rig, "") for _ in range(8)), "answers that do not")
    rig.inject("profile", Fault.KILLED)
    asked = [_ids(rig, visitor) == _ids(rig, "") for _ in range(20)]
    rig.heal("profile", Fault.KILLED)
    rig.settle()
    found = {"asked": float(len(asked)), "answers that knew the visitor": float(asked.count(False))}
    broken = [] if all(asked) else [f"{asked.count(False)} answers knew the visitor"]
    return made("opted-out visitor", "profile_svc killed", "opted-out visitors stay so", found, broken)


def _corrupt(rig: Rig, product_ids: Sequence[str], what: str, spoil: Callable[[Path], None]) -> Row:
    root = Path(rig.mesh.settings.home) / "snapshots"
    pointer = root / "ACTIVE"
    good = pointer.read_text()
    bad = root / f"{good.strip()[:-1]}{'0' if good.strip()[-1] != '0' else '1'}"
    shutil.copytree(root / good.strip(), bad)
    spoil(bad)
    served: set[str] = set()

    def point() -> None:
        _put(pointer, f"{bad.name}\n")
        until = time.monotonic() + NOTICED_S
        while time.monotonic() < until:
            served.add(rig.http.get("/v1/popular", params={"limit": 1}).json()["model_version"])
            time.sleep(0.1)

    try:
        ledger, began, ended = _under_load(rig, product_ids, f"snapshot {what}", point, lambda: _put(pointer, good))
    finally:
        shutil.rmtree(bad)
    span = ledger.between(began, ended)
    found = figures(span, [e for e in span if e.kind != "event"], began)
    found["loaded"] = float(bad.name in served)
    broken = [f"{name} {found[name]:g}" for name in ("errors", "loaded") if found[name]]
    timeline = availability(ledger.entries, 0.0, ended)
    return made("snapshot", what, "0 loaded, the last good one stays", found, broken, timeline)


def _under_load(
    rig: Rig, product_ids: Sequence[str], run: str, harm: Callable[[], None], mend: Callable[[], None]
) -> tuple[Ledger, float, float]:
    client = ChaosClient(rig.mesh.port, shoppers(product_ids, run=run), rate=RATE)
    client.start()
    try:
        time.sleep(1.0)
        began = client.now()
        try:
            harm()
        finally:
            mend()
        ended = client.now()
    finally:
        ledger = client.stop()
    rig.settle()
    return ledger, began, ended


def _put(pointer: Path, content: str) -> None:
    fresh = pointer.with_name(".ACTIVE-chaos")
    fresh.write_text(content)
    fresh.replace(pointer)


def _truncated(folder: Path) -> None:
    largest = max(folder.iterdir(), key=lambda path: path.stat().st_size)
    os.truncate(largest, largest.stat().st_size // 2)


def _flipped(folder: Path) -> None:
    largest = max(folder.iterdir(), key=lambda path: path.stat().st_size)
    content = bytearray(largest.read_bytes())
    content[len(content) // 2] ^= 1
    largest.write_bytes(content)


def _changed(key: str, value: object) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        manifest = folder / "manifest.json"
        manifest.write_text(json.dumps({**json.loads(manifest.read_text()), key: value}))

    return change


def _other_dimension(folder: Path) -> None:
    """Vectors of another length, with a checksum that fits them."""
    path = folder / "vectors.npy"
    vectors = np.load(path)
    np.save(path, vectors[:, : vectors.shape[1] // 2])
    manifest = json.loads((folder / "manifest.json").read_text())
    files = {**manifest["files"], path.name: hashlib.sha256(path.read_bytes()).hexdigest()}
    _changed("files", files)(folder)


_SPOILED: dict[str, Callable[[Path], None]] = {
    "truncated": _truncated,
    "bit flipped": _flipped,
    "wrong dimension": _other_dimension,
    "wrong schema version": _changed("schema", 10_000),
}


def _ids(rig: Rig, visitor: str) -> list[str]:
    answer = rig.http.post("/v1/recommendations?fields=product_id", json={"visitor_id": visitor, "limit": 10})
    return [item["product_id"] for item in answer.json()["items"]]
