"""How wanted each product is: weighted events with exponential decay, kept current by the hourly counters.

Each product has three sums that fade at different speeds: `popular` fades in weeks, a fast one in days, a slow one in
months. Fast against slow is what a product does now against its own past. Sums are kept relative to a base hour as
Σ w·2^((hour - base) / half-life) (forward decay, Cormode et al. 2009), so that an event of any age is one addition;
they are read as of the newest event, so that a shop that was quiet for a year still has popular products.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from meshkit.pace import no_pause
from reco_svc.domain.model import EventType
from reco_svc.domain.ports import HourlyCount, Mask, Rows, Vectors

DEFAULT_WEIGHTS: Mapping[EventType, float] = MappingProxyType(
    {
        EventType.VIEW_ITEM: 1.0,
        EventType.SELECT_ITEM: 1.0,
        EventType.ADD_TO_CART: 3.0,
        EventType.ADD_TO_WISHLIST: 2.0,
        EventType.PURCHASE: 5.0,
        EventType.REMOVE_FROM_CART: -2.0,
        EventType.REFUND: -5.0,
    }
)
POPULAR_HALF_LIFE_H = 24.0 * 7
TRENDING_HALF_LIFE_H = 24.0 * 3
PAST_HALF_LIFE_H = 24.0 * 120
FORGET_AFTER_H = int(PAST_HALF_LIFE_H * 4)
TREND_PRIOR = 5.0  # weighted events by which a rise is doubted
MOMENTUM_PRIOR = 0.3  # of the share of an average product, on both sides of the ratio
RARITY_PRIOR = 0.01  # of the events of an average product, given to one that has none
_POPULAR, _FAST, _PAST = range(3)
KINDS = 16  # more than there are types of events
PLACED_AT_ONCE = 300
_KEPT_EXPONENT = 400.0  # half-lives after which sums are moved to a later base hour


class _Whole(NamedTuple):
    """Of the sums of all rows: the greatest popular one, those of fast and past, and how many have a past."""

    top: float
    fast: float
    past: float
    with_past: int


class Popularity:
    """Scores for each row; rows are added as products appear. Not thread-safe."""

    def __init__(
        self,
        *,
        weights: Mapping[EventType, float] = DEFAULT_WEIGHTS,
        popular_half_life_h: float = POPULAR_HALF_LIFE_H,
        trending_half_life_h: float = TRENDING_HALF_LIFE_H,
        past_half_life_h: float = PAST_HALF_LIFE_H,
    ) -> None:
        self._weights = weights
        self._weight_of = np.zeros(KINDS)
        self._weight_of[list(weights)] = list(weights.values())
        self._half_lives = (popular_half_life_h, trending_half_life_h, past_half_life_h)
        self._base_h: int | None = None
        self._sums = np.zeros((3, 0))
        self._cells: dict[str, dict[int, int]] = {}  # by product: events by hour · KINDS + type
        self.revision = 0
        self.newest_hour = -1
        self._wanted: tuple[tuple[int, int], Mask] | None = None
        self._whole: tuple[int, _Whole] | None = None
        self.version = 0  # grows whenever a score may have changed other than by decay

    def apply(self, counts: Sequence[HourlyCount], row_of: Callable[[str], int]) -> None:
        """Takes in counters in revision order; a counter of an unknown product (row -1) counts once `placed`."""
        self.version += 1
        for count in counts:
            cells, cell = self._cells.setdefault(count.product_id, {}), count.hour * KINDS + count.type
            change = count.events - cells.get(cell, 0)
            cells[cell] = count.events
            self.revision = max(self.revision, count.revision)
            self.newest_hour = max(self.newest_hour, count.hour)
            self._add(row_of(count.product_id), count.type, count.hour, change)

    def _count(self, rows: Rows, hours: Rows, weights: Vectors, n: int) -> None:
        """Sums of events all at once, in place of what there is."""
        self._base_h = int(hours.max())
        ages = (hours - self._base_h).astype(np.float64)
        self._sums = np.stack(
            [np.bincount(rows, weights * 2.0 ** (ages / life), minlength=n) for life in self._half_lives]
        )

    def placed(self, row_of: Callable[[str], int], rows: int, *, pause: Callable[[], None] = no_pause) -> Popularity:
        """The same counters for another table of so many rows; those of a product that it does not know (row -1) count
        nothing, those of long ago are forgotten.

        This one stays as it is and may go on counting meanwhile, in another thread: what it is told then may be missing
        in part, and has to be told to the result too. After about PLACED_AT_ONCE counters it calls `pause`.
        """
        fresh = Popularity(
            weights=self._weights,
            popular_half_life_h=self._half_lives[_POPULAR],
            trending_half_life_h=self._half_lives[_FAST],
            past_half_life_h=self._half_lives[_PAST],
        )
        fresh.revision, fresh.newest_hour = self.revision, self.newest_hour
        if self._cells:
            fresh._base_h, fresh._sums = fresh.newest_hour, np.zeros((3, rows))
        oldest = (fresh.newest_hour - FORGET_AFTER_H) * KINDS
        at: list[int] = []
        cells: list[int] = []
        events: list[int] = []
        for product_id in list(self._cells):
            kept = {cell: n for cell, n in self._cells[product_id].copy().items() if cell >= oldest}
            if kept:
                fresh._cells[product_id] = kept
            if (row := row_of(product_id)) >= 0:
                at += [row] * len(kept)
                cells += kept
                events += kept.values()
            if len(cells) >= PLACED_AT_ONCE:
                fresh._add_all(at, cells, events)
                at, cells, events = [], [], []
                pause()
        fresh._add_all(at, cells, events)
        return fresh

    def let_go(self, *, pause: Callable[[], None]) -> None:
        """Forgets its counters, for a table that will be told of no more; its scores stay. In steps, since to free
        200,000 at once takes 5 ms; after each PLACED_AT_ONCE or so it calls `pause`."""
        freed = 0
        while self._cells:
            freed += len(self._cells.popitem()[1])
            if freed >= PLACED_AT_ONCE:
                freed = 0
                pause()

    def _add_all(self, rows: Sequence[int], cells: Sequence[int], events: Sequence[int]) -> None:
        if rows and self._base_h is not None:
            hours, types = np.divmod(np.array(cells, np.int64), KINDS)
            weights = self._weight_of[types] * np.array(events)
            for sums, life in zip(self._sums, self._half_lives, strict=True):
                np.add.at(sums, rows, weights * 2.0 ** ((hours - self._base_h) / life))

    @classmethod
    def of_events(cls, rows: Rows, at_s: Rows, weights: Vectors, n: int) -> Popularity:
        """Of events (k,) with rows below `n`, times and weights, all at once; takes in no counters later."""
        made = cls()
        if len(rows):
            hours = at_s // 3600
            made.newest_hour = int(hours.max())
            made._count(rows, hours, weights, n)
        return made

    def popular(self, rows: int, now_s: float) -> Vectors:
        """Scores of rows 0 … rows-1, none negative, as of `now_s` or the newest event if that is earlier."""
        return self._decayed(_POPULAR, rows, now_s).astype(np.float32)

    def wanted(self, rows: int) -> Mask:
        """(rows,), read-only: which have a `popular` score above 0, at whatever time."""
        known = self._wanted
        if known is None or known[0] != (self.version, rows):
            mask = np.zeros(rows, np.bool_)
            sums = self._sums[_POPULAR, :rows]
            mask[: len(sums)] = sums > 0
            mask.flags.writeable = False
            known = self._wanted = ((self.version, rows), mask)
        return known[1]

    def fame(self, rows: Rows) -> Vectors:
        """(k,) in 0 … 1: the `popular` score of each of the rows over the greatest of all; 0 while there are none."""
        top = self._of_all().top
        if top <= 0:
            return np.zeros(len(rows), np.float32)
        shares: Vectors = _shares_of(self._sums[_POPULAR], rows, top)
        return shares

    def trending(self, rows: int, now_s: float) -> Vectors:
        """How far beyond its own past each product is, in standard deviations of a Poisson count; 0 where it is not."""
        fast, past = self._decayed(_FAST, rows, now_s), self._decayed(_PAST, rows, now_s)
        usual = past * (self._half_lives[_FAST] / self._half_lives[_PAST])
        return np.maximum((fast - usual) / np.sqrt(usual + TREND_PRIOR), 0.0).astype(np.float32)

    def rarity(self, rows: Rows) -> Vectors:
        """(k,) in 0 … 1: the self-information of each row, -log of its share of the events of months, over that of a
        row without any. Rows may be any, also beyond those that ever had an event; 1 for all while there are none."""
        whole = self._of_all()
        counted = np.zeros(len(rows))
        known = rows < self._sums.shape[1]
        counted[known] = np.maximum(self._sums[_PAST, rows[known]], 0.0)
        least = RARITY_PRIOR * whole.past / max(1, whole.with_past)
        total = whole.past + least
        if total <= 0:
            return np.ones(len(rows), np.float32)
        found: Vectors = (np.log((counted + least) / total) / np.log(least / total)).astype(np.float32)
        return found.clip(0.0, 1.0)

    def momentum(self, rows: Rows) -> Vectors:
        """(k,): log of the share of all events that each row has lately, over its share in the past; 0 for no change.

        Rows may be any, also beyond those that ever had an event. A few events move it little.
        """
        out = np.zeros(len(rows), np.float32)
        whole = self._of_all()
        if not (whole.fast > 0 and whole.past > 0):
            return out
        known = rows < self._sums.shape[1]
        prior = MOMENTUM_PRIOR / max(1, whole.with_past)
        lately = np.maximum(self._sums[_FAST, rows[known]], 0.0) / whole.fast
        before = np.maximum(self._sums[_PAST, rows[known]], 0.0) / whole.past
        out[known] = np.log((lately + prior) / (before + prior))
        return out

    def _of_all(self) -> _Whole:
        if self._whole is None or self._whole[0] != self.version:
            fast, past = np.maximum(self._sums[_FAST], 0.0), np.maximum(self._sums[_PAST], 0.0)
            top = float(self._sums[_POPULAR].max(initial=0.0))
            whole = _Whole(top, float(fast.sum()), float(past.sum()), int(np.count_nonzero(past)))
            self._whole = (self.version, whole)
        return self._whole[1]

    def _decayed(self, which: int, rows: int, now_s: float) -> npt.NDArray[np.float64]:
        """Sums as of now, or as of the newest event where that is earlier; in their order of magnitude either way."""
        out = np.zeros(rows)
        if self._base_h is not None:
            at_h = min(now_s / 3600.0, float(self.newest_hour))
            factor = 2.0 ** ((self._base_h - at_h) / self._half_lives[which])
            known = self._sums[which, :rows]
            out[: len(known)] = np.maximum(known * factor, 0.0)
        return out

    def _add(self, row: int, type_: EventType, hour: int, events: int) -> None:
        weight = self._weights.get(type_, 0.0) * events
        if row < 0 or weight == 0.0:
            return
        if self._base_h is None:
            self._base_h = hour
        elif hour - self._base_h > _KEPT_EXPONENT * min(self._half_lives):
            self._rebase(hour)
        if row >= self._sums.shape[1]:
            grown = np.zeros((3, max(1024, row + 1, self._sums.shape[1] * 2)))
            grown[:, : self._sums.shape[1]] = self._sums
            self._sums = grown
        for which, half_life in enumerate(self._half_lives):
            self._sums[which, row] += weight * 2.0 ** ((hour - self._base_h) / half_life)

    def _rebase(self, hour: int) -> None:
        assert self._base_h is not None
        for which, half_life in enumerate(self._half_lives):
            self._sums[which] *= 2.0 ** ((self._base_h - hour) / half_life)
        self._base_h = hour


@njit(cache=True, nogil=True)
def _shares_of(sums, rows, top):  # type: ignore[no-untyped-def]
    """Of each row its sum over the `top`; 0 for negative sums and for rows past the last sum."""
    shares = np.zeros(len(rows), np.float32)
    for at in range(len(rows)):
        if rows[at] < len(sums):
            shares[at] = max(sums[rows[at]], 0.0) / top
    return shares
