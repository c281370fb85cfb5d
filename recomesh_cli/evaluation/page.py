"""The report: one HTML page with its plots inside, that needs nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import jinja2

from reco_svc.domain.evaluation.beyond_accuracy import COVERAGE, DIVERSITY, NOVELTY
from reco_svc.domain.evaluation.results import Evaluation, SystemKind
from recomesh_cli.evaluation import charts
from recomesh_cli.evaluation.tables import sentences
from recomesh_cli.evaluation.thresholds import metric_values

_TEMPLATES = Path(__file__).parent
_QUALITY = (("ndcg@10", "right products, near the top"), ("recall@20", "share of what was wanted that is listed"))
_MORE = (("hr@10", "lists with at least one hit"), ("mrr@20", "how high the first hit stands"))
_MOVED = {"diversity": DIVERSITY, "novelty": NOVELTY}


@dataclass(frozen=True, slots=True)
class Plot:
    """A plot with its caption; `wide` takes the whole row."""

    title: str
    caption: str
    svg: str
    legend: Mapping[str, str]


def report_page(evaluation: Evaluation) -> str:
    """The page. Without known answers it has the facts and the table alone."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES), autoescape=True, undefined=jinja2.StrictUndefined
    )
    blend = evaluation.systems[0]
    return environment.get_template("report.html").render(
        task=evaluation.task,
        systems=evaluation.systems,
        metrics=list(metric_values(blend)),
        values={system.name: metric_values(system) for system in evaluation.systems},
        sentences=sentences(evaluation),
        verdicts=blend.against,
        sections=_sections(evaluation) if blend.figures else {},
    )


def _sections(evaluation: Evaluation) -> Mapping[str, Sequence[Plot]]:
    return {
        "How good are the lists?": _quality(evaluation),
        "For whom, and for which products?": _parts(evaluation),
        "What do shoppers get to see?": _shelf(evaluation),
        "What do the knobs cost?": _knobs(evaluation),
    }


def _quality(evaluation: Evaluation) -> list[Plot]:
    legend = {"auto, the blend": "blend", "one source alone": "source", "textbook baseline": "baseline"}
    return [
        Plot(metric, f"{words}; dashed: the best baseline", charts.forest(evaluation.systems, metric), legend)
        for metric, words in (*_QUALITY, *_MORE)
    ]


def _parts(evaluation: Evaluation) -> list[Plot]:
    rivals = [system.name for system in evaluation.systems if system.kind is SystemKind.BASELINE]
    colours = dict(zip(rivals, ("baseline", "baseline2"), strict=False))
    series = {"auto": "blend", "best source": "source", **colours}
    plots = [
        Plot(
            "ndcg@10 by length of history",
            "products the question tells of; below: questions",
            charts.slices(evaluation.history, series, "ndcg@10", "n"),
            series,
        )
    ]
    if evaluation.popularity:
        series = {"auto": "blend", **colours}
        plots.append(
            Plot(
                "recall@20 by popularity of the product",
                "head: the few products that make up half of all events; below: how many were to be found",
                charts.slices(evaluation.popularity, series, "recall@20", "n"),
                series,
            )
        )
    return plots


def _shelf(evaluation: Evaluation) -> list[Plot]:
    covered = {s.name: s.beyond[COVERAGE] for s in sorted(evaluation.systems, key=lambda s: -s.beyond[COVERAGE])}
    kinds = {system.name: system.kind.value for system in evaluation.systems}
    plots = [
        Plot(
            "coverage@10",
            "share of the catalog that is in any top ten",
            charts.bars(covered, kinds, "Coverage of the catalog by each system"),
            {},
        )
    ]
    if evaluation.hits:
        css = {source: kinds.get(source, "source") for source in evaluation.hits}
        drawn = charts.bars(evaluation.hits, css, "Share of the hits of auto by source")
        plots.append(Plot("where the hits of auto come from", "the source that weighed most in each hit", drawn, {}))
    return plots


def _knobs(evaluation: Evaluation) -> list[Plot]:
    return [
        Plot(
            f"{name} from 0 to 1",
            "on a sample of the questions; shaded: 95 % interval",
            charts.knob(results, _MOVED[name]),
            {},
        )
        for name, results in evaluation.knobs.items()
    ]
