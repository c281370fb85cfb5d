"""Which products may be shown at a moment, remembered until a product changes or the clock passes an expiry."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from reco_svc.domain.ports import Mask


@dataclass(frozen=True, slots=True)
class _Moment:
    mask: Mask
    epoch: int
    since_s: float
    until_s: float


class Shelf:
    """The mask of visible rows, for answers with and without sold out products. Masks are read-only."""

    def __init__(self) -> None:
        self._moments: dict[bool, _Moment] = {}

    def visible(
        self, now_s: float, epoch: int, sellable: Mask, expires_s: npt.NDArray[np.float64], in_stock: Mask | None
    ) -> Mask:
        """Sellable, not expired at `now_s` (a product expires at its `expires_s`) and, unless `in_stock` is None, in
        stock. `epoch` changes whenever the columns do."""
        with_sold_out = in_stock is None
        moment = self._moments.get(with_sold_out)
        if moment is None or moment.epoch != epoch or not moment.since_s <= now_s < moment.until_s:
            fresh = expires_s > now_s
            mask = sellable & fresh if in_stock is None else sellable & fresh & in_stock
            mask.flags.writeable = False
            since_s = float(np.max(expires_s, where=~fresh, initial=-np.inf))
            until_s = float(np.min(expires_s, where=fresh, initial=np.inf))
            moment = self._moments[with_sold_out] = _Moment(mask, epoch, since_s, until_s)
        return moment.mask
