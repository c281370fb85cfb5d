"""Spark counts what this process counts: a month of a real shop with views, refunds and nameless sessions mixed in."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from meshkit.errors import FailedPrecondition
from reco_svc.adapters import spark_engine
from reco_svc.adapters.spark_engine import SparkEngine
from reco_svc.adapters.spark_session import SparkSettings
from reco_svc.domain.learning import collaborative
from reco_svc.domain.learning.engine import LocalEngine, ReadLog
from reco_svc.domain.learning.graphs import CHAIN, TRAIL
from reco_svc.domain.learning.learned import NEVER_FADES, Learned, Lesson
from reco_svc.domain.model import EventType
from reco_svc.domain.popularity import DEFAULT_WEIGHTS
from reco_svc.domain.ports import InteractionColumns
from reco_svc.domain.snapshot import Graph
from reco_svc.service.evaluation_folder import read_task

TASK = Path(__file__).parents[3].parent / "shared/data/tasks/online_retail_basket"
NEWEST = 6_000
# Nothing is compiled for so little data.
QUICKLY = SparkSettings("local[2]", memory="1g", partitions=2, options={"spark.sql.codegen.wholeStage": "false"})
needs_spark = pytest.mark.skipif(
    bool(spark_engine.missing() or not TASK.exists()) and not os.environ.get("TESTS_REQUIRE_SPARK"),
    reason=f"{spark_engine.missing() or 'Online Retail is not here'} (`make spark` installs pyspark)",
)


def logged() -> tuple[list[InteractionColumns], dict[str, int]]:
    task = read_task(TASK)
    columns = task.log.columns
    begin = len(columns.at_s) - NEWEST
    rng = np.random.default_rng(1)
    kind = columns.type[begin:].copy()
    kind[rng.random(NEWEST) < 0.2] = int(EventType.VIEW_ITEM)
    kind[rng.random(NEWEST) < 0.05] = int(EventType.REFUND)
    nameless = rng.random(NEWEST) < 0.3
    sessions = ["" if no else name for no, name in zip(nameless, columns.session_id[begin:], strict=True)]
    orders = [o if k == EventType.PURCHASE else "" for o, k in zip(columns.order_id[begin:], kind, strict=True)]
    whole = InteractionColumns(
        columns.visitor_id[begin:],
        sessions,
        orders,
        columns.product_id[begin:],
        kind,
        columns.at_s[begin:] + rng.integers(0, 30, NEWEST).cumsum() // 30,
        columns.quantity[begin:],
        columns.price[begin:],
    )
    halves = (slice(0, 3_500), slice(3_500, None))
    chunks = [InteractionColumns(*(getattr(whole, f)[half] for f in whole.__slots__)) for half in halves]
    known = sorted(p.product_id for p in task.products)[::2]  # every other product is gone
    return chunks, {id_: row for row, id_ in enumerate(known)}


@pytest.fixture(scope="module")
def both() -> Iterator[tuple[ReadLog, ReadLog, int]]:
    chunks, rows = logged()
    n = len(rows)
    args = (lambda id_: rows.get(id_, -1)), DEFAULT_WEIGHTS, n
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # py4j leaves its sockets to the collector
        with (
            LocalEngine().read(chunks, *args) as local,
            SparkEngine(QUICKLY).read(chunks, *args) as spark,
        ):
            yield local, spark, n


@pytest.fixture(scope="module")
def learned(both: tuple[ReadLog, ReadLog, int]) -> tuple[Learned, Learned]:
    local, spark, n = both
    lesson = Lesson(half_life_days=20.0, session_half_life_days=30.0, walk=TRAIL)
    return local.learn(n, lesson), spark.learn(n, lesson)


def assert_same(one: Graph, other: Graph) -> None:
    """The same neighbours with the same scores, but for those that rounding puts behind the last place."""
    assert len(one.rows) > 1_000
    assert np.abs(np.diff(one.ptr) - np.diff(other.ptr)).max() == 0
    np.testing.assert_allclose(one.scores, other.scores, rtol=2e-4)
    owner = np.repeat(np.arange(len(one.ptr) - 1), np.diff(one.ptr)) * 100_000
    shared = np.intersect1d(owner + one.rows, owner + other.rows)
    assert len(shared) >= 0.999 * len(one.rows)


@needs_spark
class TestSpark:
    def test_the_facts_of_the_log_are_the_same(self, both: tuple[ReadLog, ReadLog, int]):
        local, spark, _ = both
        for name in ("events", "visitors", "oldest_s", "newest_s"):
            assert getattr(spark.facts, name) == getattr(local.facts, name) > 0
        assert (spark.facts.had == local.facts.had).all()
        assert (spark.newest.session == local.newest.session).all()

    def test_what_is_viewed_after_another(self, learned: tuple[Learned, Learned]):
        assert_same(learned[0].viewed, learned[1].viewed)

    def test_a_chain_that_never_goes_back(self, both: tuple[ReadLog, ReadLog, int]):
        from reco_svc.domain.learning.graphs import viewed_graph

        local, spark, n = both
        now_s = float(local.facts.newest_s)
        made = viewed_graph(local.newest, n, now_s, half_life_days=NEVER_FADES, walk=CHAIN)
        assert_same(made, spark._logged.viewed(n, now_s, NEVER_FADES, CHAIN))  # type: ignore[attr-defined]

    def test_what_is_bought_together(self, learned: tuple[Learned, Learned]):
        assert_same(learned[0].bought, learned[1].bought)

    def test_sessions(self, learned: tuple[Learned, Learned]):
        one, other = (of.sessions for of in learned)
        assert one.count == other.count > 200
        assert (one.session_ptr[-1], np.diff(one.item_ptr).tolist()) == (
            other.session_ptr[-1],
            np.diff(other.item_ptr).tolist(),
        )
        np.testing.assert_allclose(one.idf, other.idf, rtol=1e-6)
        np.testing.assert_allclose(np.sort(one.weight), np.sort(other.weight), rtol=1e-6)

    def test_histories_by_ease(self, learned: tuple[Learned, Learned]):
        one, other = (of.collaborative for of in learned)
        assert one.rows.tolist() == other.rows.tolist()
        assert one.weights.shape == (len(one.rows), len(one.rows)) > (300, 300)
        np.testing.assert_allclose(one.weights, other.weights, atol=1e-4)

    def test_histories_by_nearest_neighbours(self, both: tuple[ReadLog, ReadLog, int], monkeypatch: pytest.MonkeyPatch):
        local, spark, n = both
        monkeypatch.setattr(collaborative, "EASE_MOST_ITEMS", 10)
        monkeypatch.setattr(collaborative, "LONGEST", 40)
        now_s = float(local.facts.newest_s)
        made = collaborative.collaborative(local.newest, n, now_s, half_life_days=20.0, regularisation=5.0)
        other = spark._logged.collaborative(n, now_s, 20.0, 5.0)  # type: ignore[attr-defined]
        assert_same(made.neighbours, other.neighbours)


@needs_spark
def test_nothing_is_left_behind_and_a_log_without_events_teaches_nothing(tmp_path: Path):
    with SparkEngine(SparkSettings(master="local[1]", folder=tmp_path)).read([], lambda id_: 0, {}, 3) as read:
        assert list(tmp_path.iterdir())
        assert (read.facts.events, read.learn(3, Lesson()).sessions.count) == (0, 0)
    assert not list(tmp_path.iterdir())


@needs_spark
@pytest.mark.parametrize(
    ("settings", "told"),
    [
        (SparkSettings("local[two]"), "RECOMESH_WORKER_SPARK_MASTER 'local\\[two\\]'"),
        (SparkSettings(folder=Path("/dev/null/log")), "RECOMESH_WORKER_SPARK_FOLDER must be"),
    ],
)
def test_what_keeps_spark_from_starting_is_told_before_the_log_is_read(settings: SparkSettings, told: str):
    def never_read() -> Iterator[InteractionColumns]:
        raise AssertionError("read without Spark")
        yield

    with (
        pytest.raises(FailedPrecondition, match=told) as caught,
        SparkEngine(settings).read(never_read(), lambda id_: 0, {}, 3),
    ):
        pass
    assert caught.value.reason == "ENGINE_FAILED"


def test_what_is_not_installed_is_named_with_how_to_get_it(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(spark_engine.importlib.util, "find_spec", lambda name: None)
    with (
        pytest.raises(FailedPrecondition, match="pyspark and pyarrow are not installed; `make spark`") as caught,
        SparkEngine().read([], lambda id_: 0, {}, 0),
    ):
        raise AssertionError("read without Spark")
    assert caught.value.reason == "ENGINE_MISSING"


def test_a_machine_without_java_is_told_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setattr(spark_engine.importlib.util, "find_spec", lambda name: object())
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    assert spark_engine.missing() == "no Java was found"
