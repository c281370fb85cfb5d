"""A made task through training, the serving pipeline and the judge."""

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest

from reco_svc.domain.evaluation.results import SystemKind
from reco_svc.domain.sources import SOURCES
from reco_svc.evaluation import Embedding, evaluate_task, task_of_folder
from reco_svc.service.evaluate import Evaluated, write_predictions
from tests.support.made_task import write_made_task


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_made_task(tmp_path_factory.mktemp("task") / "made")


@pytest.fixture(scope="module")
def told() -> list[float]:
    return []


@pytest.fixture(scope="module")
def found(folder: Path, told: list[float]) -> Evaluated:
    return evaluate_task(
        task_of_folder(folder), embedding=Embedding("lsa"), progress=lambda stage, share: told.append(share)
    )


def test_blend_sources_and_baselines_stand_in_one_table(found: Evaluated) -> None:
    kinds = [system.kind for system in found.evaluation.systems]
    assert kinds == [SystemKind.BLEND, *[SystemKind.SOURCE] * len(SOURCES), *[SystemKind.BASELINE] * 2]
    assert found.evaluation.system("baseline: item-kNN").figures["ndcg@10"].value > 0.5
    assert found.evaluation.system("baseline: popularity").figures["ndcg@10"].value < 0.4


def test_figures_are_those_of_the_written_definition(found: Evaluated, folder: Path, tmp_path: Path) -> None:
    write_predictions(tmp_path / "lists.jsonl", found.queries, found.lists)
    lists = {row["query_id"]: row["items"] for row in _lines(tmp_path / "lists.jsonl")}
    truth = {row["query_id"]: set(row["relevant"]) for row in _lines(folder / "truth.jsonl")}
    figures = found.evaluation.system("auto").figures
    for metric, mean in _by_hand(lists, truth).items():
        assert figures[metric].value == pytest.approx(mean, abs=5e-6), metric


def test_what_learns_habits_is_better_than_popularity_beyond_doubt(found: Evaluated) -> None:
    popularity, blend = found.evaluation.system("baseline: popularity"), found.evaluation.system("auto")
    assert blend.figures["recall@20"].low > popularity.figures["recall@20"].high
    assert {difference.rival for difference in blend.against.values()} <= {"baseline: popularity", "baseline: item-kNN"}


def test_nothing_excluded_or_repeated_is_listed(found: Evaluated) -> None:
    for query, items in zip(found.queries, found.lists, strict=True):
        assert len(set(items)) == len(items) == 20
        assert not set(items) & set(query.exclude)


def test_slices_and_hits_cover_everything(found: Evaluated) -> None:
    evaluation = found.evaluation
    assert sum(part.size for part in evaluation.history) == evaluation.task.questions
    assert sum(part.size for part in evaluation.popularity) == 2 * evaluation.task.questions
    assert math.isclose(sum(evaluation.hits.values()), 1.0)


def test_every_knob_moves_what_it_is_named_after(found: Evaluated) -> None:
    for name, moved in {"diversity": "diversity@10", "novelty": "novelty@10"}.items():
        results = found.evaluation.knobs[name]
        gains = [result.beyond[moved] for result in results]
        assert (np.diff(gains) >= -1e-6).all(), name
        assert gains[-1] > gains[0], name


def test_progress_never_goes_back(found: Evaluated, told: list[float]) -> None:
    assert told == sorted(told)
    assert 0.9 < told[-1] <= 1.0


def test_without_known_answers_lists_are_made_and_quality_is_not_claimed(folder: Path) -> None:
    (folder / "truth.jsonl").rename(folder / "kept.jsonl")
    try:
        found = evaluate_task(task_of_folder(folder), embedding=Embedding("lsa"), limit=5)
    finally:
        (folder / "kept.jsonl").rename(folder / "truth.jsonl")
    (blend,) = found.evaluation.systems
    assert not blend.figures
    assert blend.beyond["coverage@10"] > 0
    assert len(found.lists) == 5


def _by_hand(lists: Mapping[str, Sequence[str]], truth: Mapping[str, set[str]]) -> dict[str, float]:
    """Each metric as its definition reads, question by question."""
    sums = dict.fromkeys(("recall@20", "ndcg@10", "ndcg@20", "hr@10", "mrr@20"), 0.0)
    for query_id, relevant in truth.items():
        hits = [item in relevant for item in lists[query_id][:20]]
        sums["recall@20"] += sum(hits) / len(relevant)
        sums["hr@10"] += any(hits[:10])
        sums["mrr@20"] += 1 / (hits.index(True) + 1) if any(hits) else 0.0
        for depth in (10, 20):
            gain = sum(1 / math.log2(place + 2) for place, hit in enumerate(hits[:depth]) if hit)
            ideal = sum(1 / math.log2(place + 2) for place in range(min(depth, len(relevant))))
            sums[f"ndcg@{depth}"] += gain / ideal
    return {metric: total / len(truth) for metric, total in sums.items()}


def _lines(path: Path) -> list[dict]:  # type: ignore[type-arg]
    return [json.loads(line) for line in path.read_text().splitlines()]
