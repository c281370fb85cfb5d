"""An evaluation in a terminal and as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

from rich.console import RenderableType

from reco_svc.domain.evaluation.bootstrap import Difference, Figure, Verdict
from reco_svc.domain.evaluation.results import Evaluation, SliceResult, SystemKind
from recomesh_cli import console
from recomesh_cli.evaluation.thresholds import metric_values

_MARKS = {Verdict.BETTER: "+", Verdict.WORSE: "-", Verdict.UNKNOWN: "≈"}


def as_json(evaluation: Evaluation) -> dict[str, Any]:
    """Everything, by names; figures are {"value", "low", "high"}."""
    return {
        "task": asdict(evaluation.task),
        "systems": {
            system.name: {
                "kind": system.kind.value,
                "metrics": {metric: _figure(figure) for metric, figure in system.figures.items()},
                **{metric: round(value, 5) for metric, value in system.beyond.items()},
                "ms_per_question": round(system.ms, 3),
                "against_best_baseline": {m: _difference(d) for m, d in system.against.items()},
            }
            for system in evaluation.systems
        },
        "against_best_source": {metric: _difference(d) for metric, d in evaluation.gain.items()},
        "by_history_length": [_slice(part) for part in evaluation.history],
        "by_item_popularity": [_slice(part) for part in evaluation.popularity],
        "hits_by_source": {source: round(share, 5) for source, share in evaluation.hits.items()},
        "knobs": {
            name: [{"value": r.value, "ndcg@10": _figure(r.ndcg), **r.beyond} for r in results]
            for name, results in evaluation.knobs.items()
        },
    }


def for_terminal(evaluation: Evaluation) -> Iterator[RenderableType]:
    """A table of all systems, and in words how the blend compares."""
    task = evaluation.task
    yield console.escaped(
        f"{task.name}: {task.questions:,} questions, {task.products:,} products, {task.events:,} training events; "
        f"texts embedded by {task.embedder}; trained in {task.train_s:.0f} s, asked in {task.ask_s:.0f} s"
    )
    metrics = list(metric_values(evaluation.systems[0]))
    rows = [
        (system.name, *(_cell(values[m], system.against.get(m)) for m in metrics))
        for system in evaluation.systems
        for values in (metric_values(system),)
    ]
    yield console.table("", ("", *metrics), rows, right=metrics)
    if any(system.against for system in evaluation.systems):
        yield "[dim]+ better, - worse, ≈ too small to tell: against the best baseline, by 95 % bootstrap intervals[/]"
    yield from (console.escaped(line) for line in sentences(evaluation))


def sentences(evaluation: Evaluation) -> list[str]:
    """The findings in plain words."""
    blend = next((s for s in evaluation.systems if s.kind is SystemKind.BLEND), None)
    if blend is None or not blend.against:
        return ["No known answers (truth.jsonl): lists were made, quality was not measured."]
    said = [_sentence("auto", m, d) for m, d in blend.against.items()]
    said += [_sentence("auto", m, d) for m, d in evaluation.gain.items() if m == "ndcg@10"]
    return said


def _sentence(name: str, metric: str, found: Difference) -> str:
    figure, rival = found.difference, found.rival
    interval = f"difference {figure.value:+.4f}, {figure.low:+.4f} to {figure.high:+.4f}"
    if found.verdict is Verdict.UNKNOWN:
        return f"{metric}: {name} against {rival}: too small to tell ({interval})"
    share = f" by {abs(found.ratio - 1):.0%}" if found.ratio else ""
    return f"{metric}: {name} is {found.verdict.value} than {rival}{share} ({interval})"


def _cell(value: float, against: Difference | None) -> str:
    mark = _MARKS[against.verdict] if against else " "
    return f"{value:.4f}{mark}" if value < 10 else f"{value:.2f}{mark}"


def _figure(figure: Figure) -> Mapping[str, float]:
    return {"value": round(figure.value, 5), "low": round(figure.low, 5), "high": round(figure.high, 5)}


def _difference(found: Difference) -> Mapping[str, Any]:
    return {
        "rival": found.rival,
        "difference": _figure(found.difference),
        "ratio": round(found.ratio, 4),
        "verdict": found.verdict.value,
    }


def _slice(part: SliceResult) -> Mapping[str, Any]:
    made: dict[str, Any] = {
        "label": part.label,
        "size": part.size,
        "figures": {name: _figure(figure) for name, figure in part.figures.items()},
    }
    if part.against_best_source is not None:
        made["against_best_source"] = _difference(part.against_best_source)
    return made
