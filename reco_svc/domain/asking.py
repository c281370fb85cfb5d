"""From a query, in ids and words, to a question over the rows of a view."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

import numpy as np

from meshkit.filtering import PRODUCT_FIELDS, Expression, parse
from reco_svc.domain.model import EventType, Preferences, RecommendQuery, SessionStep, Strategy
from reco_svc.domain.ports import Rows
from reco_svc.domain.product_table import ProductTable
from reco_svc.domain.question import NO_ROWS, Question
from reco_svc.domain.rules import ActiveRules, ready_boosts
from reco_svc.domain.targets import Aim
from reco_svc.domain.view import View

PURCHASED = "purchased"
LEADERBOARDS = frozenset({Strategy.POPULAR, Strategy.TRENDING, Strategy.NEW})
_NOT_A_STEP = frozenset({EventType.IMPRESSION, EventType.SEARCH})
_NONE: frozenset[int] = frozenset()


class Ask(NamedTuple):  # made for every answer: four times as fast as a frozen dataclass
    """Everything one answer depends on, resolved. `in_basket`, `excluded` and `purchased` are rows."""

    view: View
    query: RecommendQuery
    question: Question
    filter: Expression | None
    boosts: Sequence[tuple[Aim, float]]
    rules: ActiveRules
    in_basket: frozenset[int]
    excluded: frozenset[int]
    purchased: frozenset[int]
    excluded_categories: tuple[str, ...]
    unknown_ids: tuple[str, ...]
    now: datetime

    @property
    def only_category(self) -> str:
        """The category a leaderboard is limited to; "" for none."""
        return self.question.category if self.query.strategy in LEADERBOARDS else ""


def resolve(
    view: View,
    query: RecommendQuery,
    session: Sequence[SessionStep],
    history: Sequence[str],
    preferences: Preferences | None,
    now: datetime,
) -> Ask:
    """Looks up rows, parses the filter and picks the rules that hold.

    `session` is what the mesh knows of the visitor, `history` products bought earlier, newest first. Of a visitor who
    opted out neither is used, nor are preferences and the steps that the caller sent. Unknown products are left out
    and listed. Raises InvalidArgument (FILTER_SYNTAX) for the filter or a boost.
    """
    if preferences is not None and preferences.opted_out:
        session, history, preferences = (), (), None
    else:
        session = merged_session(session, query.session)
    context, row_of = query.context, view.products.row
    question = _question(view, query, session, history, preferences, now)
    segments = preferences.segments if preferences else ()
    mentioned = (context.product_id, *context.basket, *[step.product_id for step in query.session])
    return Ask(
        view=view,
        query=query,
        question=question,
        filter=parse(query.filter, PRODUCT_FIELDS),
        boosts=ready_boosts(query.boosts),
        rules=view.rule_book.active(query.placement, segments, now),
        in_basket=_in_basket(question),
        excluded=frozenset(known_rows(view.products, query.exclude)) if query.exclude else _NONE,
        purchased=_NONE if PURCHASED in query.include else _bought(question),
        excluded_categories=preferences.excluded_categories if preferences else (),
        unknown_ids=tuple(dict.fromkeys([i for i in mentioned if i and row_of(i) < 0])),
        now=now,
    )


def merged_session(known: Sequence[SessionStep], sent: Sequence[SessionStep]) -> list[SessionStep]:
    """What the mesh knows, then what the caller adds; a step that both have counts once, where the mesh has it."""
    if known:
        seen = {(step.product_id, step.type) for step in known}
        sent = [*known, *[step for step in sent if (step.product_id, step.type) not in seen]]
    return [step for step in sent if step.type not in _NOT_A_STEP]


def known_rows(table: ProductTable, ids: Iterable[str]) -> list[int]:
    """Rows of the ids that the table knows, in order."""
    return [row for row in map(table.row, ids) if row >= 0]


def _question(
    view: View,
    query: RecommendQuery,
    session: Sequence[SessionStep],
    history: Sequence[str],
    preferences: Preferences | None,
    now: datetime,
) -> Question:
    table, context = view.products, query.context
    row_of, now_s = table.row, now.timestamp()
    steps = [(row, step) for step in session if (row := row_of(step.product_id)) >= 0]
    text = context.query.strip()
    return Question(
        anchor=table.row(context.product_id) if context.product_id else -1,
        basket=_rows(known_rows(table, dict.fromkeys(context.basket))) if context.basket else NO_ROWS,
        session_rows=_rows([row for row, _ in steps]),
        session_types=[step.type for _, step in steps],
        session_ages_s=[max(0.0, now_s - step.at.timestamp()) if step.at else 0.0 for _, step in steps],
        history_rows=_rows(known_rows(table, reversed(history))) if len(history) else NO_ROWS,
        category=context.category.strip(),
        query_vector=view.text_vector(text) if text and view.text_vector else None,
        preferences=preferences,
        now_s=now_s,
    )


def _in_basket(question: Question) -> frozenset[int]:
    """Rows in the basket that the caller told of, and those put into it in this session and neither taken out nor
    bought since."""
    carted = set[int]()
    for row, type_ in zip(question.session_rows.tolist(), question.session_types, strict=True):
        if type_ is EventType.ADD_TO_CART:
            carted.add(row)
        elif type_ in (EventType.REMOVE_FROM_CART, EventType.PURCHASE):
            carted.discard(row)
    return frozenset(carted.union(question.basket.tolist()))


def _bought(question: Question) -> frozenset[int]:
    """Rows bought in this session or before, without those sent back in this session."""
    bought = set(question.history_rows.tolist())
    for row, type_ in zip(question.session_rows.tolist(), question.session_types, strict=True):
        if type_ is EventType.PURCHASE:
            bought.add(row)
        elif type_ is EventType.REFUND:
            bought.discard(row)
    return frozenset(bought)


def _rows(rows: Sequence[int]) -> Rows:
    return np.array(rows, np.int64)
