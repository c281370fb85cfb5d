"""Rows of one brand or category in order of price, made when they are first asked for and followed from then on.

In a large shop a taste names a hundred thousand products; the few at a price like those that were seen are found here
without a look at the others.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass

import numpy as np
from numba import njit

from reco_svc.domain.mask_cache import RowJournal
from reco_svc.domain.ports import Ints, Mask, Rows, Vectors

TINY_PRICE = np.float32(1e-6)
MOST_LATE = 1_000  # rows that changed since an order was made: above, it is made again
STEPS = 1_000  # rows looked at from a price up and down


@dataclass(frozen=True, slots=True)
class PriceOrder:
    """`rows` (k,) int32 by rising price, unknown prices last; `logs` (k,) float32 their logarithms, inf unknown; `late`
    rows changed since then, which may belong here or no more. As of `epoch` of the table."""

    rows: Ints
    logs: Vectors
    late: Rows
    epoch: int

    def near(self, log_price: float | None, k: int, allowed: Mask, codes: Ints, liked: Vectors) -> Rows:
        """Up to `k` allowed rows nearest to a price (None: the middle one), `k` more of those whose code is liked too
        (`liked` by code, > 0; the last is for -1), all within STEPS; then the late ones that are allowed."""
        if not len(self.rows):
            return self.late[allowed[self.late]]
        at = self.logs[len(self.logs) // 2] if log_price is None else np.float32(log_price)
        found: Rows = _near(self.rows, self.logs, at, k, allowed, codes, liked)
        return np.concatenate([found, self.late[allowed[self.late]]]) if len(self.late) else found


class PriceOrders:
    """The orders used last, up to `budget_bytes` of them."""

    def __init__(self, journal: RowJournal, *, budget_bytes: int = 32 << 20) -> None:
        self._journal = journal
        self._most_rows = budget_bytes // 8
        self._orders: OrderedDict[Hashable, PriceOrder] = OrderedDict()
        self._rows = 0

    def get(self, key: Hashable, members: Callable[[], Mask], prices: Vectors) -> PriceOrder:
        """The order of `key`; `members()`, (rows,), is asked when it has to be made."""
        order = self._orders.get(key)
        if order is None or order.epoch != self._journal.epoch:
            self._rows -= len(order.rows) if order else 0
            order = self._orders[key] = self._followed(order) or self._made(members(), prices)
            self._rows += len(order.rows)
            while self._rows > self._most_rows and len(self._orders) > 1:
                self._rows -= len(self._orders.popitem(last=False)[1].rows)
        self._orders.move_to_end(key)
        return order

    def _followed(self, order: PriceOrder | None) -> PriceOrder | None:
        touched = self._journal.since(order.epoch) if order else None
        if order is None or touched is None:
            return None
        late = np.union1d(order.late, touched)
        return None if len(late) > MOST_LATE else PriceOrder(order.rows, order.logs, late, self._journal.epoch)

    def _made(self, members: Mask, prices: Vectors) -> PriceOrder:
        rows = np.flatnonzero(members)
        known = np.fmax(prices[rows], TINY_PRICE)
        known[np.isnan(prices[rows])] = np.inf
        bits = known.astype(np.float32).view(np.uint32).astype(np.uint64)  # of positive numbers, in their order
        order = np.sort(bits << 32 | rows.astype(np.uint64))  # one sort of numbers: five times as fast as an argsort
        logs = np.log((order >> 32).astype(np.uint32).view(np.float32))
        return PriceOrder(order.astype(np.uint32).view(np.int32), logs, np.empty(0, np.int64), self._journal.epoch)


@njit(cache=True, nogil=True)
def _near(rows, logs, at, k, allowed, codes, liked):  # type: ignore[no-untyped-def]
    found, some, both = np.empty(2 * k, np.int64), 0, 0
    high = np.searchsorted(logs, at)
    low, last = high - 1, len(liked) - 1
    for _ in range(min(STEPS, len(rows))):
        if high >= len(rows) or (low >= 0 and at - logs[low] <= logs[high] - at):
            row = rows[low]
            low -= 1
        else:
            row = rows[high]
            high += 1
        if not allowed[row]:
            continue
        code = codes[row]
        if both < k and 0 <= code < last and liked[code] > 0:
            both += 1
        elif some < k:
            some += 1
        else:
            continue
        found[some + both - 1] = row
    return found[: some + both]
