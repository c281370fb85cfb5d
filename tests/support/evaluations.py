"""An evaluation made by hand, for what shows it."""

from reco_svc.domain.evaluation.bootstrap import Difference, Figure
from reco_svc.domain.evaluation.results import (
    Evaluation,
    KnobResult,
    SliceResult,
    SystemKind,
    SystemResult,
    TaskFacts,
)

BEYOND = {"coverage@10": 0.5, "novelty@10": 9.5, "diversity@10": 0.7, "popularity@10": 0.8, "gini@10": 0.6}
METRICS = ("recall@20", "ndcg@10", "ndcg@20", "hr@10", "mrr@20")
VALUES = {"auto": 0.3, "session": 0.25, "baseline: popularity": 0.1, "baseline: item-kNN": 0.2}


def figure(value: float) -> Figure:
    return Figure(value, value - 0.02, value + 0.02)


def made_evaluation(name: str = "made") -> Evaluation:
    better = Difference("baseline: item-kNN", Figure(0.1, 0.08, 0.12), 1.5)
    unclear = Difference("session", Figure(0.05, -0.01, 0.1), 1.2)
    kinds = (SystemKind.BLEND, SystemKind.SOURCE, SystemKind.BASELINE, SystemKind.BASELINE)
    figures = {system: figure(value) for system, value in VALUES.items()}
    return Evaluation(
        TaskFacts(name, 60, 48, 1_500, "lsa", 3.0, 2.0),
        [
            SystemResult(
                system,
                kind,
                dict.fromkeys(METRICS, figure(value)),
                BEYOND,
                dict.fromkeys(METRICS, better) if kind is not SystemKind.BASELINE else {},
                1.5,
            )
            for (system, value), kind in zip(VALUES.items(), kinds, strict=True)
        ],
        history=[
            SliceResult("1", 40, figures, "session", unclear),
            SliceResult("2–4", 20, figures, "session", unclear),
        ],
        popularity=[SliceResult("tail: rare", 30, figures), SliceResult("head: common", 90, figures)],
        hits={"session": 0.7, "popular": 0.3},
        knobs={"diversity": [_knob(at) for at in (0.0, 0.5, 1.0)]},
        gain={"ndcg@10": unclear},
    )


def _knob(at: float) -> KnobResult:
    return KnobResult(at, figure(0.3 - at / 10), {**BEYOND, "diversity@10": 0.7 + at / 10})
