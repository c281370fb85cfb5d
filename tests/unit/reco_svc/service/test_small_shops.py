"""Shops with 0, 10, 100 and 1,000 events: full, sensible answers, and a meter that says what is missing."""

import random
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from reco_svc.domain.model import Context, EventType, Product, RecommendQuery, SessionStep, Strategy
from reco_svc.domain.pipeline import default_pipeline
from reco_svc.domain.ports import InteractionColumns
from reco_svc.domain.readiness import readiness
from reco_svc.domain.view import View
from reco_svc.evaluation import Embedding, trained_on
from reco_svc.service.evaluation_asking import live_for
from reco_svc.service.evaluation_task import EvaluationTask, TaskLog
from reco_svc.service.live_state import LiveState

KINDS = ("mug", "pan", "towel", "lamp")
PRODUCTS = [Product(f"p{at:02d}", f"{KINDS[at % 4]} number {at}", categories=(KINDS[at % 4],)) for at in range(40)]
START_S = 1_700_000_000


def _log(events: int) -> TaskLog:
    """Sessions of four products of one kind; three in four are views."""
    rng = random.Random(1)
    session = [at // 4 for at in range(events)]
    product = [f"p{4 * rng.randrange(10) + s % 4:02d}" for s in session]
    kinds = [EventType.PURCHASE if at % 4 == 3 else EventType.VIEW_ITEM for at in range(events)]
    return TaskLog(
        InteractionColumns(
            [f"v{s % 60}" for s in session],
            [f"s{s}" for s in session],
            [f"o{s}" if k is EventType.PURCHASE else "" for s, k in zip(session, kinds, strict=True)],
            product,
            np.array(kinds, np.int8),
            np.array([START_S + 900 * s + at % 4 for at, s in enumerate(session)], np.int64),
            np.ones(events, np.int32),
            np.full(events, np.nan, np.float32),
        )
    )


@pytest.fixture(scope="module")
def views(tmp_path_factory: pytest.TempPathFactory) -> dict[int, View]:
    found = {}
    for events in (0, 10, 100, 1_000):
        home: Path = tmp_path_factory.mktemp("snapshots")
        task = EvaluationTask("small", PRODUCTS, _log(events), [])
        found[events] = live_for(task, trained_on(task, home, Embedding("lsa"))).view()
    return found


@pytest.mark.parametrize("events", [0, 10, 100, 1_000])
@pytest.mark.parametrize("strategy", list(Strategy))
def test_every_strategy_fills_its_list(views: dict[int, View], events: int, strategy: Strategy) -> None:
    for context, session in ((Context(), ()), (Context("p01"), (SessionStep("p05"), SessionStep("p09")))):
        query = RecommendQuery(strategy=strategy, context=context, session=session)
        now = datetime.fromtimestamp(START_S, UTC)
        answer = default_pipeline().answer(views[events], query, (), (), None, now=now, recommendation_id="r")
        shown = [item.product_id for item in answer.items]
        assert len(set(shown)) == len(shown) == 10
        assert context.product_id not in shown
        assert all(item.source and item.reasons for item in answer.items)


@pytest.mark.parametrize("events", [0, 10, 1_000])
def test_on_a_product_page_the_best_is_of_its_kind(views: dict[int, View], events: int) -> None:
    query = RecommendQuery(context=Context("p01"), limit=3)
    now = datetime.fromtimestamp(START_S, UTC)
    answer = default_pipeline().answer(views[events], query, (), (), None, now=now, recommendation_id="r")
    assert int(answer.items[0].product_id[1:]) % 4 == 1


def test_the_meter_rises_with_the_events(views: dict[int, View]) -> None:
    told = {events: {r.source: r for r in readiness(view)} for events, view in views.items()}
    ready = {events: {name for name, r in meter.items() if r.ready} for events, meter in told.items()}
    assert ready[0] == {"similar", "personal", "new"}
    assert ready[0] <= ready[10] <= ready[100] <= ready[1_000]
    assert {"auto", "session", "viewed_together", "collaborative", "popular"} <= ready[1_000]
    assert told[0]["session"].note == "0 of 100 sessions; similar stands in"
    assert told[100]["session"].note == "25 of 100 sessions; viewed_together stands in"
    assert told[0]["auto"].note == "0 of 30 held-out questions; rank fusion of the sources stands in"
    assert told[0]["popular"].stand_in == "new"


def test_an_empty_shop_lacks_everything_and_says_so() -> None:
    empty = LiveState().view()
    assert not any(r.ready for r in readiness(empty))
    assert {r.stand_in for r in readiness(empty) if r.source != "auto"} == {"the catalog by product id"}
