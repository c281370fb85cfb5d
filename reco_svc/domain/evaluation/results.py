"""What an evaluation found out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from reco_svc.domain.evaluation.bootstrap import Difference, Figure


class SystemKind(StrEnum):
    """What gave the lists."""

    BLEND = "blend"
    SOURCE = "source"
    BASELINE = "baseline"


@dataclass(frozen=True, slots=True)
class SystemResult:
    """`figures` by metric (empty when no answers are known), `beyond` as in beyond_accuracy, `against` the best
    baseline by metric (empty for a baseline), `ms` the mean time of an answer."""

    name: str
    kind: SystemKind
    figures: Mapping[str, Figure]
    beyond: Mapping[str, float]
    against: Mapping[str, Difference] = field(default_factory=dict)
    ms: float = 0.0


@dataclass(frozen=True, slots=True)
class SliceResult:
    """One part: how many questions (or relevant products) it has and the figure of each system there."""

    label: str
    size: int
    figures: Mapping[str, Figure]
    best_source: str = ""
    against_best_source: Difference | None = None


@dataclass(frozen=True, slots=True)
class KnobResult:
    """What lists are like with a knob at `value`."""

    value: float
    ndcg: Figure
    beyond: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class TaskFacts:
    """What was asked, of what."""

    name: str
    questions: int
    products: int
    events: int
    embedder: str
    train_s: float = 0.0
    ask_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Everything. `systems` begin with the blend; `history` has NDCG@10, `popularity` recall@20 by parts; `hits` is the
    share of the blend's hits that each source gave; `knobs` by name; `gain` is the blend against its best source."""

    task: TaskFacts
    systems: Sequence[SystemResult]
    history: Sequence[SliceResult] = ()
    popularity: Sequence[SliceResult] = ()
    hits: Mapping[str, float] = field(default_factory=dict)
    knobs: Mapping[str, Sequence[KnobResult]] = field(default_factory=dict)
    gain: Mapping[str, Difference] = field(default_factory=dict)

    def system(self, name: str) -> SystemResult:
        """By name; KeyError for one that was not asked."""
        return next((s for s in self.systems if s.name == name), None) or _missing(name)


def _missing(name: str) -> SystemResult:
    raise KeyError(name)
