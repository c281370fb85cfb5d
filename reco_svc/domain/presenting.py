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
    product that was moved up keeps its score, one that was moved down behind it takes over that score. A pin takes the
    score of the place before it, at the top that of the first that is no pin."""
    ids, category = ask.view.products.ids, ask.question.category
    items, last = [], next((pick.score for pick in picks if not pick.rule_id), 1.0)
    for position, pick in enumerate(picks, start=1):
        row, score, names, evidence, rule_id, level = pick
        if score < last and not rule_id:
            last = score
        if rule_id:
            source, said = RULE, f"{PINNED}:{rule_id}"
        elif not names:
            source, said = CATALOG, IN_CATALOG
        else:
            source = names[0]
            said = reason(sources[source].reason, evidence[0], category, ids)
        whole = _explained(ask, pick, sources) if ask.query.explain and names else (said,)
        items.append(RankedItem(ids[row], position, last, source, whole, level))
    return tuple(items)


def _explained(ask: Ask, pick: Pick, sources: Mapping[str, Source]) -> tuple[str, ...]:
    table = ask.view.products
    words = reasons(pick.sources, pick.evidence, sources, ask.question.category, table.ids)
    return words + tuple(f"{BOOSTED}:{ready.rule.rule_id}" for ready in ask.rules.boosting(pick.row, table))
