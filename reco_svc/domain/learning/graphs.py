"""Neighbour graphs: what follows a product in sessions, what is bought with it in orders."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from reco_svc.domain.learning.events import LearningEvents
from reco_svc.domain.learning.nearest import best_neighbours, scaled
from reco_svc.domain.ports import Rows, Vectors
from reco_svc.domain.snapshot import Graph

NEIGHBOURS = 300
ACROSS = 0.5  # weight of two products in different sessions of a visitor against two in one session
LONGEST_ORDER = 200
MIN_VISITORS = 3
SHRINKAGE = 5.0
DAY_S = 86_400.0


@dataclass(frozen=True, slots=True)
class Walk:
    """How steps tell of one another: up to `window` steps apart, `d` steps count d^-power, what came before counts
    `backward` times what came after."""

    window: int
    power: float
    backward: float


TRAIL = Walk(20, 1.0, 0.4)  # a walk from one product to the next
HEAP = Walk(40, 0.5, 1.0)  # products that were taken together, in hardly an order
CHAIN = Walk(5, 1.5, 0.0)  # series: what comes next, and never back


def viewed_graph(events: LearningEvents, n: int, now_s: float, *, half_life_days: float, walk: Walk = TRAIL) -> Graph:
    """Direction-aware co-visitation.

    Steps are those of a visitor; two in different sessions count ACROSS of two in one. They count half for every
    `half_life_days` of age. A weight is divided by the root of all that its product gives, which damps products seen
    in everything, and by the 0.3rd power of all that the neighbour gets, which damps what is popular anyway.
    """
    wanted = events.wanted
    order = np.lexsort((np.arange(len(wanted)), wanted.visitor))
    visitor, session, row = wanted.visitor[order], wanted.session[order], wanted.row[order]
    age = 0.5 ** (np.maximum(0.0, now_s - wanted.at_s[order]) / DAY_S / half_life_days)
    total = sparse.csr_matrix((n, n), dtype=np.float32)
    for distance in range(1, min(walk.window, max(0, len(row) - 1)) + 1):
        together = (visitor[distance:] == visitor[:-distance]) & (row[distance:] != row[:-distance])
        if not together.any():
            continue
        earlier, later = row[:-distance][together], row[distance:][together]
        near = np.where(session[distance:] == session[:-distance], 1.0, ACROSS)[together]
        weight = (age[distance:][together] * near / distance**walk.power).astype(np.float32)
        total = total + sparse.csr_matrix((weight, (earlier, later)), shape=(n, n), dtype=np.float32)
    total = (total + np.float32(walk.backward) * total.T).tocsr()
    gives: Vectors = np.asarray(total.sum(1)).ravel()
    gets: Vectors = np.asarray(total.sum(0)).ravel()
    return scaled(
        best_neighbours(
            _damped(total, np.maximum(gives, 1.0) ** np.float32(-0.5), np.maximum(gets, 1.0) ** np.float32(-0.3)),
            NEIGHBOURS,
        )
    )


def bought_graph(events: LearningEvents, n: int, now_s: float, *, half_life_days: float) -> Graph:
    """Co-purchase in one order, as damped lift.

    An order of s products gives each of its pairs 1/s, halved for every `half_life_days` of age: what is bought with
    everything says little. The weight of a pair is divided by (f_a + SHRINKAGE)^0.5 · (f_b + SHRINKAGE)^0.6, f the same
    sum over the orders with one product: between confidence and lift (Brin et al. 1997), and never far on little
    support. A pair needs MIN_VISITORS distinct visitors (2 in a log of fewer than 50 orders). Where no event has an
    order id, sessions count as orders.
    """
    bought = events.take((events.order >= 0) & (events.weight > 0))
    basket = bought.order
    if not len(bought):
        bought = events.wanted
        basket = bought.session
    if not len(bought):
        return Graph.empty(n)
    baskets, at_s = _incidence(basket, bought.row, bought.at_s, n)
    size = np.maximum(np.diff(baskets.indptr), 1)
    weight = 0.5 ** (np.maximum(0.0, now_s - at_s) / DAY_S / half_life_days) / size
    weighted = sparse.diags(weight.astype(np.float32)) @ baskets
    pairs = (baskets.T @ weighted).tocsr()
    frequency: Vectors = (np.asarray(weighted.sum(0)).ravel() + SHRINKAGE).astype(np.float32)
    pairs = pairs.multiply(_together(bought.visitor, bought.row, n) >= (MIN_VISITORS if len(size) >= 50 else 2))
    pairs = sparse.csr_matrix(pairs)
    pairs.setdiag(0.0)
    return scaled(best_neighbours(_damped(pairs, frequency**-0.5, frequency**-0.6), NEIGHBOURS))


def _incidence(groups: Rows, row: Rows, at_s: Rows, n: int) -> tuple[sparse.csr_matrix, Rows]:
    """Groups × rows, 1 where a group has the row, and the latest time of each group.

    Of a larger group the first LONGEST_ORDER distinct rows are taken.
    """
    group_of = np.unique(groups, return_inverse=True)[1].astype(np.int64)
    latest = np.zeros(int(group_of.max()) + 1, np.int64)
    np.maximum.at(latest, group_of, at_s)
    distinct = np.unique(group_of * n + row)
    group, row = distinct // n, distinct % n
    begins = np.concatenate([[True], group[1:] != group[:-1]])
    first = np.maximum.accumulate(np.where(begins, np.arange(len(group)), 0))
    keep = np.arange(len(group)) - first < LONGEST_ORDER
    group, row = group[keep], row[keep]
    return sparse.csr_matrix((np.ones(len(row), np.float32), (group, row)), shape=(len(latest), n)), latest


def _together(visitor: Rows, row: Rows, n: int) -> sparse.csr_matrix:
    """How many visitors had both products, (n, n)."""
    distinct = np.unique(np.unique(visitor, return_inverse=True)[1].astype(np.int64) * n + row)
    visitors = sparse.csr_matrix((np.ones(len(distinct), np.float32), (distinct // n, distinct % n)))
    visitors.resize(visitors.shape[0], n)
    return (visitors.T @ visitors).tocsr()


def _damped(matrix: sparse.csr_matrix, left: Vectors, right: Vectors) -> sparse.csr_matrix:
    scaled = sparse.diags(left.astype(np.float32)) @ matrix @ sparse.diags(right.astype(np.float32))
    return scaled.tocsr()
