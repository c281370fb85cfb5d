"""Use case: a task from a shop's own log and catalog. The past is the training data, the newest sessions are asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from itertools import chain

import numpy as np

from meshkit.errors import FailedPrecondition
from reco_svc.domain.evaluation.splitting import Held, Split, held_out, time_of_cut
from reco_svc.domain.learning.events import learning_events
from reco_svc.domain.model import EventType, Product
from reco_svc.domain.popularity import DEFAULT_WEIGHTS
from reco_svc.domain.ports import CatalogReader, InteractionColumns, InteractionLog
from reco_svc.service.evaluation_task import EvaluationTask, TaskLog, TaskQuery

LEAST_QUESTIONS = 10


def own_task(
    catalog: CatalogReader,
    log: InteractionLog,
    split: Split,
    *,
    share: float = 0.1,
    seed: int = 0,
    weights: Mapping[EventType, float] = DEFAULT_WEIGHTS,
) -> EvaluationTask:
    """What happened before the newest `share` of the sessions, and questions from those.

    FailedPrecondition (TOO_LITTLE_DATA) says how many questions there are when they are too few to tell anything.
    """
    products, columns = all_products(catalog), all_events(log)
    row_of = {product.product_id: row for row, product in enumerate(products)}
    events = learning_events([columns], lambda id_: row_of.get(id_, -1), weights)
    cut_s = time_of_cut(events, share)
    asked = held_out(events, cut_s, split, seed=seed)
    if len(asked) < LEAST_QUESTIONS:
        raise FailedPrecondition(_too_little(len(asked), len(columns.at_s), split), reason="TOO_LITTLE_DATA")
    names = _names(columns, events.visitor, row_of, weights)
    queries = [_query(at, held, products, names, split) for at, held in enumerate(asked)]
    since = datetime.fromtimestamp(cut_s, UTC).date().isoformat()
    return EvaluationTask(f"own data, {split.value} split at {since}", products, _before(columns, cut_s), queries)


def all_products(catalog: CatalogReader) -> list[Product]:
    """Every product, by id."""
    found: dict[str, Product] = {}
    revision, more = 0, True
    while more:
        changes, revision, more = catalog.changes_after(revision)
        for change in changes:
            if change.product is None:
                found.pop(change.product_id, None)
            else:
                found[change.product_id] = change.product
    return [found[product_id] for product_id in sorted(found)]


def all_events(log: InteractionLog) -> InteractionColumns:
    """The whole log in memory, in its order."""
    chunks = list(log.scan())

    def text(name: str) -> list[str]:
        return list(chain.from_iterable(getattr(chunk, name) for chunk in chunks))

    def numbers(name: str, dtype: type) -> np.ndarray[tuple[int], np.dtype[np.generic]]:
        parts = [getattr(chunk, name) for chunk in chunks]
        return np.concatenate(parts) if parts else np.empty(0, dtype)

    return InteractionColumns(
        text("visitor_id"),
        text("session_id"),
        text("order_id"),
        text("product_id"),
        numbers("type", np.int8),  # type: ignore[arg-type]
        numbers("at_s", np.int64),  # type: ignore[arg-type]
        numbers("quantity", np.int32),  # type: ignore[arg-type]
        numbers("price", np.float32),  # type: ignore[arg-type]
    )


def _before(columns: InteractionColumns, cut_s: int) -> TaskLog:
    end = int(np.searchsorted(columns.at_s, cut_s))
    return TaskLog(InteractionColumns(*(getattr(columns, name)[:end] for name in InteractionColumns.__slots__)))


def _names(
    columns: InteractionColumns,
    visitors: np.ndarray[tuple[int], np.dtype[np.int64]],
    row_of: Mapping[str, int],
    weights: Mapping[EventType, float],
) -> Mapping[int, str]:
    """Visitor code → id. Codes are given in order of first appearance among the events that are learned from."""
    telling = {int(kind) for kind, weight in weights.items() if weight}
    learned = (
        visitor
        for visitor, product_id, kind in zip(columns.visitor_id, columns.product_id, columns.type.tolist(), strict=True)
        if product_id in row_of and kind in telling
    )
    return dict(enumerate(dict.fromkeys(learned)))


def _query(at: int, held: Held, products: Sequence[Product], names: Mapping[int, str], split: Split) -> TaskQuery:
    history = tuple(products[row].product_id for row in held.history.tolist())
    relevant = frozenset(products[row].product_id for row in held.relevant.tolist())
    visitor = names[held.visitor] if split is Split.NEXT else ""
    return TaskQuery(f"q{at:06d}", history, history, visitor, relevant)


def _too_little(questions: int, events: int, split: Split) -> str:
    wanted = "sessions of two products and more" if split is Split.SESSION else "visitors who came back"
    other = Split.NEXT if split is Split.SESSION else Split.SESSION
    return (
        f"the newest sessions of {events:,} events give {questions} questions, at least {LEAST_QUESTIONS} are needed "
        f"({wanted}); import more history with `recomesh import events`, raise --share, or try --split {other.value}"
    )
