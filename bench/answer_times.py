"""What an answer costs the recommender itself, in microseconds of its processor: `python -m bench.answer_times HOME`.

In process, over the active snapshot in HOME: the bytes of a batch of questions in, the bytes of their answers out, no
network. Every question is another. The best of many short tries counts, so a busy machine makes little of a difference.
Visitors of personal lists bought three products each; counters of events are not read.
"""

from __future__ import annotations

import asyncio
import random
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from recomesh.reco.v1 import reco_pb2 as pb
from recomesh.reco.v1 import reco_service_pb2 as svc

from reco_svc.adapters.directory_snapshot_store import DirectorySnapshotStore
from reco_svc.adapters.memory_session_store import MemorySessionStore
from reco_svc.service.explain import ExplainRecommendation, ReplayRecommendation
from reco_svc.service.live_state import LiveState
from reco_svc.service.purchase_memory import PurchaseMemory
from reco_svc.service.recommend import Recommend
from reco_svc.service.recommendation_log import RecommendationLog
from reco_svc.transport.freshness import FreshnessReport
from reco_svc.transport.recommendation_servicer import RecommendationServicer

BATCH, BATCHES, TRIES, VISITORS = 24, 20, 25, 1_000
STRATEGIES = (pb.STRATEGY_SESSION, pb.STRATEGY_AUTO, pb.STRATEGY_PERSONAL)


def main() -> None:
    """Prints a line for each strategy."""
    store, live, purchases, rng = (
        DirectorySnapshotStore(Path(sys.argv[1]) / "snapshots"),
        LiveState(),
        PurchaseMemory(),
        random.Random(9),
    )
    live.swap(store.load(store.active()))
    ids = live.view().products.ids
    for number in range(VISITORS):
        purchases.loaded(f"v{number}", rng.choices(ids, k=3), datetime.now(UTC))
    answers, freshness = RecommendationLog(), FreshnessReport(live, lambda: None, lambda: None)
    servicer = RecommendationServicer(
        recommend=Recommend(live, MemorySessionStore(), purchases, answers).many,
        explain=ExplainRecommendation(live, answers),
        replay=ReplayRecommendation(answers),
        freshness=freshness,
        readiness=freshness.readiness,
    )
    for strategy in STRATEGIES:
        questions = _questions(strategy, ids, rng)
        took_us = asyncio.run(_best_us(servicer, questions))
        print(f"{pb.Strategy.Name(strategy).removeprefix('STRATEGY_').lower()}: {took_us:.0f} µs")


def _questions(strategy: pb.Strategy.ValueType, ids: list[str], rng: random.Random) -> Iterator[svc.RecommendRequest]:
    while True:
        if strategy == pb.STRATEGY_PERSONAL:
            yield svc.RecommendRequest(strategy=strategy, visitor_id=f"v{rng.randrange(VISITORS)}", limit=10)
        else:
            steps = [pb.SessionStep(product_id=id_, type=pb.EVENT_TYPE_VIEW_ITEM) for id_ in rng.choices(ids, k=3)]
            yield svc.RecommendRequest(strategy=strategy, session=steps, limit=10)


async def _best_us(servicer: RecommendationServicer, questions: Iterator[svc.RecommendRequest]) -> float:
    best_s = float("inf")
    for _ in range(TRIES):
        batches = [
            svc.BatchRecommendRequest(requests=[next(questions) for _ in range(BATCH)]).SerializeToString()
            for _ in range(BATCHES)
        ]
        began = time.process_time()
        for batch in batches:
            answer = await servicer.BatchRecommend(svc.BatchRecommendRequest.FromString(batch), None)
            answer.SerializeToString()
        best_s = min(best_s, time.process_time() - began)
    return 1e6 * best_s / (BATCH * BATCHES)


if __name__ == "__main__":
    main()
