"""The items of an answer: ids, positions, scores that fall, the source that weighed most, reasons."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from reco_svc.domain.asking import Ask
from reco_svc.domain.candidates import Source
from reco_svc.domain.model import RankedItem
from reco_svc.domain.ranking import Pick
from reco_svc.domain.reasons import BOOSTED, PINNED, reason, reasons

RULE = "rule"
CATALOG = "catalog"
IN_CATALOG = "in_catalog"


def presented(ask: Ask, picks: Sequence[Pick], sources: Mapping[str, Source]) -> tuple[RankedItem, ...]:
    """The items in order. A score is never above the one before it, so that lists can be compared and cut by score: a
    product that was moved up keeps its score, one that was moved down behind it takes over that score."""
    scores, ids = _falling(picks), ask.view.products.ids
    return tuple(
        [
            RankedItem(ids[pick.row], position, score, _source(pick), _reasons(ask, pick, sources), pick.level)
            for position, (pick, score) in enumerate(zip(picks, scores, strict=True), start=1)
        ]
    )


def _source(pick: Pick) -> str:
    return RULE if pick.rule_id else pick.sources[0] if pick.sources else CATALOG


def _reasons(ask: Ask, pick: Pick, sources: Mapping[str, Source]) -> tuple[str, ...]:
    if pick.rule_id:
        return (f"{PINNED}:{pick.rule_id}",)
    if not pick.sources:
        return (IN_CATALOG,)
    table, category = ask.view.products, ask.question.category
    if not ask.query.explain:
        return (reason(sources[pick.sources[0]].reason, pick.evidence[0], category, table),)
    words = reasons(pick.sources, pick.evidence, sources, category, table)
    return words + tuple(f"{BOOSTED}:{ready.rule.rule_id}" for ready in ask.rules.boosting(pick.row, table))


def _falling(picks: Sequence[Pick]) -> list[float]:
    """Scores in order; a pin takes the score of the place before it, at the top that of the first that is no pin."""
    last = next((pick.score for pick in picks if not pick.rule_id), 1.0)
    scores = []
    for pick in picks:
        last = last if pick.rule_id else min(last, pick.score)
        scores.append(last)
    return scores
