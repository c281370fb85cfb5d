"""How long the recommender itself works on a question, in milliseconds of its processor: in process, no network.

Thread time is counted, not the clock, so a busy machine makes little of a difference.
"""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from reco_svc.adapters.directory_snapshot_store import DirectorySnapshotStore
from reco_svc.domain.model import RecommendQuery, SessionStep
from reco_svc.domain.pipeline import default_pipeline
from reco_svc.service.live_state import LiveState

WARM, ASKED, SHOWN = 100, 1_000, 40


def service_times_ms(home: Path, ids: Sequence[str], *, seed: int = 9) -> list[float]:
    """SHOWN evenly spaced values of the sorted times of `auto` for sessions of three of the products `ids`, over the
    active snapshot in `home`."""
    store, live, pipeline, rng = (
        DirectorySnapshotStore(home / "snapshots"),
        LiveState(),
        default_pipeline(),
        random.Random(seed),
    )
    live.swap(store.load(store.active()))
    taken = []
    for number in range(WARM + ASKED):
        query = RecommendQuery(session=tuple(SessionStep(rng.choice(ids)) for _ in range(3)))
        began = time.thread_time()
        pipeline.answer(live.view(), query, (), (), None, now=datetime.now(UTC), recommendation_id="")
        if number >= WARM:
            taken.append(1000 * (time.thread_time() - began))
    taken.sort()
    return [round(taken[(2 * place + 1) * ASKED // (2 * SHOWN)], 3) for place in range(SHOWN)]
