"""`--fail-under ndcg@10=0.2`: figures that must be reached."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from meshkit.errors import InvalidArgument
from reco_svc.domain.evaluation.baselines import ITEM_KNN, POPULARITY
from reco_svc.domain.evaluation.beyond_accuracy import BEYOND
from reco_svc.domain.evaluation.results import Evaluation, SystemResult
from reco_svc.domain.learning.metrics import METRICS
from reco_svc.domain.sources import SOURCES

OPTION = "--fail-under"
BLEND = "auto"
SYSTEMS = (BLEND, *SOURCES, POPULARITY, ITEM_KNN)
MEASURED = (*METRICS, *BEYOND)


@dataclass(frozen=True, slots=True)
class Threshold:
    """The least value of a metric of a system."""

    system: str
    metric: str
    least: float

    @classmethod
    def read(cls, text: str) -> Threshold:
        """ "ndcg@10=0.2" of the blend, or "session/ndcg@10=0.2". InvalidArgument shows the form."""
        name, _, value = text.rpartition("=")
        system, _, metric = name.strip().rpartition("/")
        try:
            least = float(value)
        except ValueError:
            least = math.nan
        if not metric or not math.isfinite(least):
            raise InvalidArgument.of(OPTION, f"must be like ndcg@10=0.2 or session/ndcg@10=0.2, not {text!r}")
        asked = cls(system or BLEND, metric.lower(), least)
        if asked.system not in SYSTEMS:
            raise InvalidArgument.of(OPTION, f"{asked.system!r} is not evaluated; there are {', '.join(SYSTEMS)}")
        if asked.metric not in MEASURED:
            raise InvalidArgument.of(OPTION, f"{asked.metric!r} is not measured; there are {', '.join(MEASURED)}")
        return asked

    def missed(self, evaluation: Evaluation) -> str:
        """What to tell when the figure is below the threshold or could not be measured, else ""."""
        system = next((s for s in evaluation.systems if s.name == self.system), None)
        value = metric_values(system).get(self.metric) if system else None
        if value is None:
            return f"{self.system}/{self.metric} could not be measured: no known answers (truth.jsonl)"
        return f"{self.system}/{self.metric} is {value:.4f}, below {self.least:g}" if value < self.least else ""


def metric_values(system: SystemResult) -> dict[str, float]:
    """Every figure of a system by metric."""
    return {**{metric: figure.value for metric, figure in system.figures.items()}, **system.beyond}


def read_thresholds(texts: Sequence[str]) -> list[Threshold]:
    """All of them."""
    return [Threshold.read(text) for text in texts]
