"""The interaction log as integer arrays over rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from reco_svc.domain.model import EventType
from reco_svc.domain.ports import InteractionColumns, Mask, Rows, Vectors

SESSION_GAP_S = 1_800


@dataclass(frozen=True, slots=True)
class LearningEvents:
    """Events on known products in order of (time, log), all arrays of length n.

    `visitor`, `session` and `order` are codes; `order` is -1 outside orders. `weight` is the event weight: negative for
    removals and refunds, never 0.
    """

    visitor: Rows
    session: Rows
    order: Rows
    row: Rows
    at_s: Rows
    weight: Vectors

    def __len__(self) -> int:
        return len(self.row)

    def take(self, keep: Mask) -> LearningEvents:
        """Those where `keep` is true; codes stay as they are."""
        return LearningEvents(*(getattr(self, name)[keep] for name in self.__slots__))

    def had(self, n: int) -> Mask:
        """Which of n rows anybody wanted, (n,)."""
        found = np.zeros(n, np.bool_)
        found[self.wanted.row] = True
        return found

    @property
    def wanted(self) -> LearningEvents:
        """Only events of positive weight."""
        return self.take(self.weight > 0)


def learning_events(
    chunks: Iterable[InteractionColumns], row_of: Callable[[str], int], weights: Mapping[EventType, float]
) -> LearningEvents:
    """Codes and weights of a log. Events on unknown products or of weight 0 are left out.

    A session is (visitor, session id); events without one are cut where the visitor was silent for SESSION_GAP_S.
    """
    codes = _Codes()
    parts = [_chunk(chunk, row_of, weights, codes) for chunk in chunks]
    if not parts:
        none = np.empty(0, np.int64)
        return LearningEvents(none, none, none, none, none, np.empty(0, np.float32))
    visitor, named, order, row, at_s, weight = (np.concatenate(p) for p in zip(*parts, strict=True))
    order_of_time = np.argsort(at_s, kind="stable")
    visitor, named, order, row, at_s, weight = (a[order_of_time] for a in (visitor, named, order, row, at_s, weight))
    return LearningEvents(visitor, _sessions(visitor, named, at_s), order, row, at_s, weight)


class _Codes:
    def __init__(self) -> None:
        self._tables: dict[str, dict[object, int]] = {}

    def of(self, table: str, values: Iterable[object]) -> Rows:
        known = self._tables.setdefault(table, {})
        return np.fromiter((known.setdefault(v, len(known)) for v in values), np.int64)


def _chunk(
    chunk: InteractionColumns, row_of: Callable[[str], int], weights: Mapping[EventType, float], codes: _Codes
) -> Sequence[npt.NDArray[np.generic]]:
    by_type = np.zeros(128, np.float32)
    by_type[[int(t) for t in weights]] = list(weights.values())
    distinct = {product_id: row_of(product_id) for product_id in set(chunk.product_id)}
    row = np.fromiter((distinct[p] for p in chunk.product_id), np.int64, len(chunk.product_id))
    weight = by_type[chunk.type]
    keep = np.flatnonzero((row >= 0) & (weight != 0))
    kept = keep.tolist()
    visitors = [chunk.visitor_id[i] for i in kept]
    visitor = codes.of("visitor", visitors)
    named = codes.of("session", ((v, chunk.session_id[i]) for v, i in zip(visitors, kept, strict=True)))
    blank = np.array([not chunk.session_id[i] for i in kept], bool)
    order = codes.of("order", (chunk.order_id[i] for i in kept))
    no_order = np.array([not chunk.order_id[i] for i in kept], bool)
    return visitor, np.where(blank, -1, named), np.where(no_order, -1, order), row[keep], chunk.at_s[keep], weight[keep]


def _sessions(visitor: Rows, named: Rows, at_s: Rows) -> Rows:
    by_visitor = np.lexsort((np.arange(len(visitor)), at_s, visitor))
    v, t, n = visitor[by_visitor], at_s[by_visitor], named[by_visitor]
    begins = np.ones(len(v), bool)
    begins[1:] = (v[1:] != v[:-1]) | (n[1:] != n[:-1]) | ((n[1:] < 0) & (t[1:] - t[:-1] > SESSION_GAP_S))
    cut = np.cumsum(begins) - 1
    # A named session may be interleaved with others of its visitor: the name decides, not the cut.
    offset = int(cut[-1]) + 1 if len(cut) else 0
    session = np.empty(len(v), np.int64)
    session[by_visitor] = np.where(n >= 0, offset + n, cut)
    return np.unique(session, return_inverse=True)[1].astype(np.int64) if len(session) else session
