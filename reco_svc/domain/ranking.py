"""One ranked list of allowed rows: the strategy's own sources blended, varied, topped up by the fallback chain, pinned.

The list is as long as the query asks unless fewer rows are allowed: the chain ends in every product there is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import NamedTuple, TypeAlias

import numpy as np

from reco_svc.domain.asking import Ask
from reco_svc.domain.blend import Blended, BlendWeights
from reco_svc.domain.candidates import Candidates, Source
from reco_svc.domain.diversity import DEFAULT_DIVERSITY, TWINS, shortlist, varied
from reco_svc.domain.model import Strategy
from reco_svc.domain.never_show import present_rows, taken_groups
from reco_svc.domain.novelty import toward_rare
from reco_svc.domain.ports import Mask, Rows, Vectors
from reco_svc.domain.question import Question
from reco_svc.domain.reach import AS_IT_IS, TEN, Giving
from reco_svc.domain.rows import at_most

CANDIDATES = 150  # asked of each source
POPULAR = "popular"

Proposals: TypeAlias = Mapping[str, Candidates]
Momentum: TypeAlias = Callable[[Rows], Vectors]
Blend: TypeAlias = Callable[[Proposals, Strategy, Question, BlendWeights | None, Momentum], Blended]


class Pick(NamedTuple):
    """One place of a list. `sources` proposed the row, strongest first (only that one unless the query is to be
    explained), `evidence` is what each of them gave for it; none for a pin (`rule_id`) and for a product that only the
    catalog itself offered. `level` is the step of the fallback chain, 0 before it."""

    row: int
    score: float
    sources: tuple[str, ...] = ()
    evidence: tuple[int, ...] = ()
    rule_id: str = ""
    level: int = 0


class Ranking(NamedTuple):
    """A list as it was made. `considered` are the best rows of the strategy's sources, one per group, in order."""

    picks: Sequence[Pick]
    fallback_level: int
    proposals: Proposals
    considered: Rows


class Ranker:
    """Ranks with given sources; see `domain/sources` for the real ones. `reaching`: with the reach that training
    learned for lists of all the sources together."""

    def __init__(
        self,
        sources: Mapping[str, Source],
        strategy_sources: Mapping[Strategy, Sequence[str]],
        fallbacks: Mapping[Strategy, Sequence[str]],
        blend: Blend,
        *,
        candidates: int = CANDIDATES,
        diversity: Mapping[Strategy, float] = DEFAULT_DIVERSITY,
        reaching: bool = True,
    ) -> None:
        self.sources = sources
        self._strategy_sources = strategy_sources
        self._fallbacks = fallbacks
        self._blend = blend
        self._candidates = candidates
        self._diversity = diversity
        self._reaching = reaching

    def propose(self, ask: Ask, allowed: Mask, *, everyone: bool = False) -> Proposals:
        """What the strategy's own sources say; `everyone`: also those whose word has no weight here."""
        k = max(self._candidates, 2 * ask.query.limit)
        names = self._strategy_sources[ask.query.strategy] if everyone else self._weighty(ask)
        return {name: self.sources[name].propose(ask.view, ask.question, k, allowed) for name in names}

    def propose_more(self, ask: Ask, allowed: Mask) -> Proposals:
        """What the sources of the fallback chain say that are none of the strategy's own."""
        own = self._strategy_sources[ask.query.strategy]
        names = [name for name in self._fallbacks[ask.query.strategy] if name not in own]
        return {name: self.sources[name].propose(ask.view, ask.question, self._candidates, allowed) for name in names}

    def _weighty(self, ask: Ask) -> Sequence[str]:
        """The sources that count in this context: those that training gave no weight need not be asked."""
        names, snapshot = self._strategy_sources[ask.query.strategy], ask.view.snapshot
        return snapshot.blend.weighty(ask.query.strategy, ask.question, names) if snapshot else names

    def rank(self, ask: Ask, allowed: Mask) -> Ranking:
        """The list. `allowed` (len(table),) is used up."""
        table = ask.view.products
        taken = taken_by_present(ask)
        pins = ask.rules.pinned(ask.query.limit, allowed, table, taken)
        for row, _ in pins.values():
            _take(ask, row, allowed, taken)
        need = at_most(max(0, ask.query.limit - len(pins)), allowed)
        proposals = self.propose(ask, allowed)
        picks, considered = self._blended(ask, proposals, need, allowed, taken)
        level = 0
        if len(picks) < need:
            for pick in picks:
                _take(ask, pick.row, allowed, taken)
            level = self._top_up(ask, picks, need, allowed, taken)
        return Ranking(_with_pins(picks, pins) if pins else picks, level, proposals, considered)

    def _blended(
        self, ask: Ask, proposals: Proposals, need: int, allowed: Mask, taken: set[int]
    ) -> tuple[list[Pick], Rows]:
        """The best and most varied of the strategy's own candidates, and all of them."""
        snapshot = ask.view.snapshot
        weights = snapshot.blend if snapshot else None
        momentum = ask.view.popularity.momentum
        blended = self._blend(proposals, ask.query.strategy, ask.question, weights, momentum)
        scores = blended.scores * allowed[blended.rows]
        giving = self._giving(ask)
        scores = giving.damped(blended.rows, scores)
        _weigh(ask, scores, blended.rows)
        if ask.query.novelty:
            scores = toward_rare(scores, ask.view.popularity.rarity(blended.rows), ask.query.novelty)
        ranked = shortlist(scores, blended.rows, max(60, 6 * need), ask.view.products, taken, ask.view.twins)
        chosen = self._vary(ask, scores[ranked], blended.rows[ranked], need)
        if giving.place.given and need >= TEN and ask.query.diversity is None:  # else the caller says how varied it is
            chosen = _with_places(giving, scores[ranked], blended.rows[ranked], chosen)
        chosen = ranked[chosen]
        return _picks(blended, scores, chosen, proposals, all_of=ask.query.explain), blended.rows[ranked]

    def _giving(self, ask: Ask) -> Giving:
        snapshot = ask.view.snapshot
        if snapshot is None or not self._reaching:
            return AS_IT_IS
        return snapshot.reach.of(ask.query.strategy, snapshot.fading.kind(ask.question))

    def _vary(self, ask: Ask, scores: Vectors, rows: Rows, need: int) -> Rows:
        asked = ask.query.diversity
        diversity = self._diversity.get(ask.query.strategy, 0.0) if asked is None else asked
        pool = rows[: pool_size(need)]
        if diversity <= 0 or need <= 1:
            return np.arange(min(need, len(rows)))
        table, vectors = ask.view.products, ask.view.vectors.matrix(pool)
        return varied(scores[: len(pool)], vectors, table.leaf[pool], diversity, need)

    def _top_up(self, ask: Ask, picks: list[Pick], need: int, allowed: Mask, taken: set[int]) -> int:
        """Adds to `picks` until there are `need`; returns how many steps of the chain that took."""
        level = 0
        for level, (name, question) in enumerate(self._steps(ask), start=1):
            for pick in self._step(ask, name, question, picks, need, allowed, taken):
                _take(ask, pick.row, allowed, taken)
                picks.append(pick._replace(level=level))
            if len(picks) >= need:
                return level
        missing = need - len(picks)
        if missing > 0:
            score = 0.5 * _floor(picks)
            level += 1
            picks.extend(Pick(row, score, level=level) for row in islice(_any(ask, allowed, taken), missing))
        return level

    def _steps(self, ask: Ask) -> list[tuple[str, Question]]:
        """The fallback chain; off the page's category, popular products of the whole shop come last."""
        steps = [(name, ask.question) for name in self._fallbacks[ask.query.strategy]]
        if ask.question.category and not ask.only_category and POPULAR in self.sources:
            steps.append((POPULAR, replace(ask.question, category="")))
        return steps

    def _step(
        self, ask: Ask, name: str, question: Question, picks: Sequence[Pick], need: int, allowed: Mask, taken: set[int]
    ) -> list[Pick]:
        missing = need - len(picks)
        found = self.sources[name].propose(ask.view, question, max(50, 4 * missing), allowed)
        scores = found.scores * allowed[found.rows]
        if not scores.any():
            return []
        _weigh(ask, scores, found.rows)
        order = shortlist(scores, found.rows, missing, ask.view.products, taken, ask.view.twins)
        scale = 0.99 * _floor(picks) / max(float(scores.max()), 1e-12)
        rows, scaled = found.rows[order].tolist(), (scores[order] * scale).tolist()
        speaks = found.evidence[order].tolist()
        return [Pick(row, score, (name,), (seed,)) for row, score, seed in zip(rows, scaled, speaks, strict=True)]


def taken_by_present(ask: Ask) -> set[int]:
    """Groups of variants and codes of near-duplicates that what is on the page or in the basket has already."""
    present = present_rows(ask)
    return taken_groups(ask) | _twins(ask, present) if present else set()


def pool_size(need: int) -> int:
    """Among how many of the best the varied ones are looked for."""
    return max(30, 3 * need)


def _picks(blended: Blended, scores: Vectors, chosen: Rows, proposals: Proposals, *, all_of: bool) -> list[Pick]:
    """The chosen candidates with the source that helped most, or `all_of` those that did, strongest first."""
    if not len(chosen):
        return []
    rows, worth = blended.rows[chosen].tolist(), scores[chosen].tolist()
    if len(blended.sources) == 1:
        evidence = proposals[blended.sources[0]].evidence[blended.places[0, chosen]].tolist()
        return [
            Pick(row, score, blended.sources, (seed,)) for row, score, seed in zip(rows, worth, evidence, strict=True)
        ]
    said = [proposals[name].evidence for name in blended.sources]
    if not all_of:
        strongest = blended.parts[:, chosen].argmax(0)
        spots = blended.places[strongest, chosen].tolist()
        return [
            Pick(row, score, (blended.sources[source],), (int(said[source][spot]),))
            for row, score, source, spot in zip(rows, worth, strongest.tolist(), spots, strict=True)
        ]
    given, places = blended.parts[:, chosen].T.tolist(), blended.places[:, chosen].T.tolist()
    picks = []
    for row, score, parts, at in zip(rows, worth, given, places, strict=True):
        helped = sorted((-part, source) for source, part in enumerate(parts) if part > 0)
        names = tuple(blended.sources[source] for _, source in helped)
        picks.append(Pick(row, score, names, tuple(int(said[source][at[source]]) for _, source in helped)))
    return picks


def _with_places(giving: Giving, scores: Vectors, rows: Rows, chosen: Rows) -> Rows:
    """The chosen positions, with places for what few lists show."""
    rest = np.ones(len(rows), np.bool_)
    rest[chosen] = False
    order = np.concatenate([chosen, np.flatnonzero(rest)])
    return order[giving.given(rows[order], scores[order], len(chosen))]


def _weigh(ask: Ask, scores: Vectors, rows: Rows) -> None:
    """Applies the boosts of the call and the BOOST and BURY rules, in place."""
    table = ask.view.products
    for aim, factor in ask.boosts:
        scores[aim.hits(rows, table)] *= factor
    ask.rules.weigh(scores, rows, table)


def _take(ask: Ask, row: int, allowed: Mask, taken: set[int]) -> None:
    allowed[row] = False
    group = int(ask.view.products.group[row])
    if group >= 0:
        taken.add(group)
    taken |= _twins(ask, (row,))


def _twins(ask: Ask, rows: Iterable[int]) -> set[int]:
    codes = ask.view.twins
    return {TWINS + int(codes[row]) for row in rows if row < len(codes) and codes[row] >= 0}


def _any(ask: Ask, allowed: Mask, taken: set[int]) -> Iterator[int]:
    """Every allowed row in order of product ids, one per group."""
    table = ask.view.products
    by_id = table.rows_by_id
    for begin in range(0, len(by_id), 4096):
        stretch = by_id[begin : begin + 4096]
        for row in stretch[allowed[stretch]].tolist():
            if int(table.group[row]) not in taken:
                _take(ask, row, allowed, taken)
                yield row


def _floor(picks: Sequence[Pick]) -> float:
    """The least score so far: what comes later is worth less."""
    return min((pick.score for pick in picks), default=1.0)


def _with_pins(picks: Sequence[Pick], pins: Mapping[int, tuple[int, str]]) -> list[Pick]:
    """Pins at their positions; those past the end of a short list come last, in order."""
    placed: list[Pick] = []
    rest = iter(picks)
    for position in range(1, len(picks) + len(pins) + 1):
        if position in pins:
            row, rule_id = pins[position]
            placed.append(Pick(row, 0.0, rule_id=rule_id))
        elif (pick := next(rest, None)) is not None:
            placed.append(pick)
    shown = {pick.rule_id for pick in placed}
    late = (pin for _, pin in sorted(pins.items()) if pin[1] not in shown)
    return placed + [Pick(row, 0.0, rule_id=rule_id) for row, rule_id in late]
