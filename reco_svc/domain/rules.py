"""Merchandising rules: which hold for a request, and what they do to it."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from meshkit.errors import FieldViolation, InvalidArgument
from reco_svc.domain.model import Boost, Rule, RuleKind, RuleSet, TargetKind
from reco_svc.domain.ports import Mask, Rows, Vectors
from reco_svc.domain.product_table import ProductTable
from reco_svc.domain.targets import Aim


@dataclass(frozen=True, slots=True)
class ReadyRule:
    """A rule whose target was read."""

    rule: Rule
    aim: Aim

    def holds(self, placement: str, segments: Collection[str], now: datetime) -> bool:
        """Whether it speaks for a placement, an audience and a moment."""
        rule = self.rule
        return (
            rule.placement in ("", placement)
            and (not rule.segment or rule.segment in segments)
            and (rule.starts_at is None or rule.starts_at <= now)
            and (rule.ends_at is None or now < rule.ends_at)
        )

    @property
    def factor(self) -> float:
        """What it multiplies scores by."""
        return 1.0 / self.rule.factor if self.rule.kind is RuleKind.BURY else self.rule.factor


@dataclass(frozen=True, slots=True)
class ActiveRules:
    """The rules that hold for one request, each list in order of (priority, rule_id)."""

    pins: Sequence[ReadyRule] = ()
    weights: Sequence[ReadyRule] = ()
    excludes: Sequence[ReadyRule] = ()

    def strike(self, allowed: Mask, table: ProductTable) -> None:
        """Clears what EXCLUDE rules remove, in place."""
        for ready in self.excludes:
            ready.aim.strike(allowed, table)

    def excluding(self, row: int, table: ProductTable) -> str:
        """Id of the first rule that removes a row; "" when none does."""
        at = np.array([row])
        return next((ready.rule.rule_id for ready in self.excludes if ready.aim.hits(at, table)[0]), "")

    def weigh(self, scores: Vectors, rows: Rows, table: ProductTable) -> None:
        """Applies BOOST and BURY to the scores of rows, in place."""
        for ready in self.weights:
            scores[ready.aim.hits(rows, table)] *= ready.factor

    def boosting(self, row: int, table: ProductTable) -> list[ReadyRule]:
        """The BOOST rules that raise a row."""
        at, boosts = np.array([row]), (ready for ready in self.weights if ready.rule.kind is RuleKind.BOOST)
        return [ready for ready in boosts if ready.aim.hits(at, table)[0]]

    def pinned(
        self, limit: int, allowed: Mask, table: ProductTable, taken_groups: Collection[int]
    ) -> dict[int, tuple[int, str]]:
        """Position from 1 → (row, rule_id), positions up to `limit`.

        A contested position goes to the lower priority, then the lower rule id; the loser is ranked like any other. A
        product is pinned once, a group of variants once and not if it is one of `taken_groups`, and only where
        `allowed`.
        """
        taken: dict[int, tuple[int, str]] = {}
        groups = set(taken_groups)
        for ready in self.pins:
            row, position = table.row(ready.rule.target.value), ready.rule.position
            if row < 0 or position > limit or position in taken or not allowed[row]:
                continue
            group = int(table.group[row])
            if group in groups or any(row == other for other, _ in taken.values()):
                continue
            groups.update([group] if group >= 0 else [])
            taken[position] = (row, ready.rule.rule_id)
        return taken


@dataclass(frozen=True, slots=True)
class RuleBook:
    """All rules of a version, ready to use. `unreadable` holds (rule_id, what is wrong) of rules that were left out."""

    version: str = RuleSet().version
    ready: tuple[ReadyRule, ...] = ()
    unreadable: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of(cls, rules: RuleSet) -> RuleBook:
        """Reads every target once; a rule that can not be read is left out, never the whole set."""
        ready, unreadable = [], []
        for rule in sorted(rules.rules, key=lambda rule: (rule.priority, rule.rule_id)):
            try:
                ready.append(_ready(rule))
            except InvalidArgument as error:
                unreadable.append((rule.rule_id, error.message))
        return cls(rules.version, tuple(ready), tuple(unreadable))

    def active(self, placement: str, segments: Collection[str], now: datetime) -> ActiveRules:
        """The rules that hold now for a placement and an audience."""
        if not self.ready:
            return _NO_RULES
        holding = [ready for ready in self.ready if ready.holds(placement, segments, now)]
        return ActiveRules(
            pins=[ready for ready in holding if ready.rule.kind is RuleKind.PIN],
            weights=[ready for ready in holding if ready.rule.kind in (RuleKind.BOOST, RuleKind.BURY)],
            excludes=[ready for ready in holding if ready.rule.kind is RuleKind.EXCLUDE],
        )


def ready_boosts(boosts: Sequence[Boost]) -> list[tuple[Aim, float]]:
    """The boosts of a call; InvalidArgument (FILTER_SYNTAX) names the boost whose filter does not parse."""
    ready = []
    for index, boost in enumerate(boosts):
        try:
            ready.append((Aim.at(boost.target), boost.factor))
        except InvalidArgument as error:
            wrong = [FieldViolation(f"boosts[{index}].filter", v.description) for v in error.violations]
            raise InvalidArgument(wrong, reason=error.reason) from None
    return ready


def _ready(rule: Rule) -> ReadyRule:
    if rule.kind is RuleKind.PIN and (rule.target.kind is not TargetKind.PRODUCT or rule.position < 1):
        raise InvalidArgument.of("target", "a pin needs a product and a position from 1")
    if rule.kind in (RuleKind.BOOST, RuleKind.BURY) and not 0 < rule.factor < math.inf:
        raise InvalidArgument.of("factor", "above 0 and finite")
    return ReadyRule(rule, Aim.at(rule.target))


_NO_RULES = ActiveRules()
