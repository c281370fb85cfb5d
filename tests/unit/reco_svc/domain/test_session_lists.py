"""Plain session questions ranked together get the lists that the ranker gives to each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reco_svc.domain.asking import Ask, resolve
from reco_svc.domain.blend import CONTEXT_SIZES, BlendWeights, blend
from reco_svc.domain.model import (
    Availability,
    Boost,
    Context,
    EventType,
    Preferences,
    Product,
    ProductChange,
    RecommendQuery,
    Rule,
    RuleKind,
    RuleSet,
    SessionStep,
    Strategy,
    Target,
    TargetKind,
)
from reco_svc.domain.pipeline import Asked, Pipeline, default_pipeline
from reco_svc.domain.popularity import Popularity
from reco_svc.domain.product_table import ProductTable
from reco_svc.domain.ranking import Pick, Ranker, Ranking
from reco_svc.domain.reach import Place, Reach
from reco_svc.domain.session_lists import session_lists
from reco_svc.domain.snapshot import SessionIndex, Snapshot, index_of
from reco_svc.domain.sources import FALLBACKS, SOURCES, STRATEGY_SOURCES
from reco_svc.domain.sources.session import SessionSource
from reco_svc.domain.vector_space import VectorSpace
from reco_svc.domain.view import View
from tests.support.reco_fakes import NOON, product, snapshot_of

N, TRAINED = 40, 36
IDS = [f"p{n:02}" for n in range(N)]
known = st.sampled_from(IDS)
one_by_one = Pipeline(Ranker(SOURCES, STRATEGY_SOURCES, FALLBACKS, blend))
sessions = st.lists(st.lists(st.integers(0, N - 1), min_size=2, max_size=9, unique=True), max_size=25)
steps = st.lists(st.builds(SessionStep, known, st.sampled_from(EventType)), max_size=6).map(tuple)
asked = st.builds(
    Asked,
    st.builds(
        RecommendQuery,
        strategy=st.just(Strategy.SESSION),
        session=steps,
        context=st.builds(Context, st.just("") | known, st.lists(known, max_size=2).map(tuple)),
        exclude=st.lists(known, max_size=3).map(tuple),
        limit=st.sampled_from([2, 3, 5, 10]),
        explain=st.booleans(),
    ),
    session=steps,
    history=st.lists(known, max_size=4),
    preferences=st.none(),
    recommendation_id=st.just("r"),
)


@st.composite
def shops(draw: st.DrawFn) -> View:
    """A shop with variants, near-duplicates, sold out and hidden products, products that came after the training."""
    products = [
        product(
            id_,
            group_id=draw(st.sampled_from(["", "", "g", "h"])),
            categories=draw(st.sampled_from([(), ("A",), ("B",)])),
            hidden=draw(st.sampled_from([False] * 9 + [True])),
            availability=draw(st.sampled_from([*[Availability.IN_STOCK] * 9, Availability.OUT_OF_STOCK])),
            expires_at=draw(st.sampled_from([*[None] * 9, NOON - timedelta(1)])),
        )
        for id_ in IDS
    ]
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    vectors = rng.normal(size=(TRAINED, 4)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    past = [[row for row in rows if row < TRAINED] for rows in draw(sessions)]
    twins = np.where(rng.random(TRAINED) < 0.2, TRAINED // 2, -1).astype(np.int32)
    snapshot = replace(
        snapshot_of(*products[:TRAINED]),
        vectors=vectors,
        sessions=aged(index_of([rows for rows in past if len(rows) > 1], rng.random(TRAINED)), rng),
        twins=twins,
    )
    table, space = ProductTable(), VectorSpace(vectors, None)
    table.load(products, 1)
    for row in range(TRAINED, N - 1):
        space.set(row, np.ones(4, np.float32) / 2)
    fresh = index_of(draw(sessions), rng.random(N)) if draw(st.booleans()) else None
    return View(table, space, Popularity(), snapshot, RuleSet(), fresh=fresh)


def aged(index: SessionIndex, rng: np.random.Generator) -> SessionIndex:
    """Sessions that count otherwise for who came back."""
    return replace(index, past_weight=rng.random(index.count).astype(np.float32))


@settings(max_examples=150, deadline=None)
@given(shops(), st.lists(asked, min_size=1, max_size=8))
def test_questions_ranked_together_get_the_answers_that_each_gets_alone(view: View, questions: list[Asked]):
    together = default_pipeline().answers(view, questions, NOON)
    alone = [one_by_one.answers(view, [one], NOON)[0] for one in questions]
    assert together == alone


PLAIN = RecommendQuery(strategy=Strategy.SESSION, session=(SessionStep("p00"), SessionStep("p01")), limit=3)


def lively(**changes: object) -> View:
    """A shop in which every product follows every other."""
    products = [product(id_, categories=("A",)) for id_ in IDS[:12]]
    vectors = np.eye(12, 4, dtype=np.float32)
    snapshot = replace(
        snapshot_of(*products), vectors=vectors, sessions=index_of([range(12)], np.ones(12, np.float32)), **changes
    )
    return view_of(snapshot, products)


def view_of(snapshot: Snapshot, products: Sequence[Product], rules: RuleSet | None = None) -> View:
    table = ProductTable()
    table.load(products, 1)
    return View(table, VectorSpace(snapshot.vectors, None), Popularity(), snapshot, rules or RuleSet())


def ranked_together(query: RecommendQuery, view: View, preferences: Preferences | None = None) -> bool:
    (ranking,) = session_lists([resolve(view, query, (), (), preferences, NOON)])
    return ranking is not None


@pytest.mark.parametrize("limit", [2, 3, 9])
def test_a_plain_question_is_ranked_with_the_others(limit: int):
    assert ranked_together(replace(PLAIN, limit=limit), lively())


@pytest.mark.parametrize(
    "changes",
    [
        {"strategy": Strategy.AUTO},
        {"session": ()},
        {"filter": "price < 9"},
        {"boosts": (Boost(Target(TargetKind.CATEGORY, "A"), 2.0),)},
        {"diversity": 0.5},
        {"novelty": 0.5},
        {"include": frozenset({"out_of_stock"})},
        {"limit": 1},
        {"limit": 11},  # more than there are: the fallback chain says what comes after
        {"limit": 100},
    ],
    ids=lambda changes: "-".join(changes),
)
def test_the_ranker_alone_answers_what_is_out_of_the_ordinary(changes: dict[str, object]):
    assert not ranked_together(replace(PLAIN, **changes), lively())  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", RuleKind)
def test_the_ranker_alone_answers_where_a_rule_speaks(kind: RuleKind):
    snapshot = lively().snapshot
    assert snapshot is not None
    rule = Rule("r", kind, Target(TargetKind.PRODUCT, "p05"))
    assert not ranked_together(PLAIN, view_of(snapshot, snapshot.products, RuleSet("2", (rule,))))


def test_the_ranker_alone_answers_where_a_preference_speaks():
    assert not ranked_together(PLAIN, lively(), Preferences("v", excluded_categories=("A",)))


def test_what_came_back_must_still_pass_the_last_check():
    view = lively()
    hidden = product("p05", hidden=True, revision=9)
    pipeline = Pipeline(Ranker(SOURCES, STRATEGY_SOURCES, FALLBACKS, blend), lambda asks: [with_row_5(asks[0])])
    view.products.apply([ProductChange(9, "p05", hidden)])
    answer = pipeline.answer(view, PLAIN, (), (), None, now=NOON, recommendation_id="r")
    assert "p05" not in [item.product_id for item in answer.items]
    assert dict(pipeline.caught) == {"hidden": 1}


def with_row_5(ask: Ask) -> Ranking:
    return Ranking([Pick(5, 1.0, ("session",), (0,))], 0, {}, np.empty(0, np.int64))


def test_the_strategy_has_no_other_source_than_the_one_that_is_ranked_together():
    assert STRATEGY_SOURCES[Strategy.SESSION] == (SessionSource.name,)


def test_the_ranker_alone_answers_where_training_weighed_or_widened_the_lists_of_sessions():
    weighed = BlendWeights({"session:known": [{"session": 1.0}] * len(CONTEXT_SIZES)}, {})
    assert not ranked_together(PLAIN, lively(blend=weighed))
    assert not ranked_together(PLAIN, lively(reach=Reach(places={"session": Place(1, 20, 0.1)})))
    assert ranked_together(PLAIN, lively(reach=Reach(places={"auto": Place(1, 20, 0.1)})))


def test_an_error_reaches_its_own_question_alone():
    wrong, view = replace(PLAIN, filter="price <"), lively()
    first, second, third = default_pipeline().answers(
        view, [Asked(query, (), (), None, "r") for query in (PLAIN, wrong, PLAIN)], NOON
    )
    assert first == third != second
    assert isinstance(second, Exception)


def test_nothing_is_ranked_without_a_model_or_a_question():
    bare = view_of(snapshot_of(product("p00")), [product("p00")])
    assert session_lists([]) == []
    assert session_lists([resolve(replace(bare, snapshot=None), PLAIN, (), (), None, NOON)]) == [None]
