"""Filters of a wanted selectivity over made-up columns: bands of price, brands, departments."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

SELECTIVITIES = (1.0, 0.1, 0.01, 0.001)
EACH = 16  # different filters of one selectivity


@dataclass(frozen=True, slots=True)
class Columns:
    """Of each product (n,) what filters ask for; `department` is by category."""

    price: npt.NDArray[np.float64]
    brand: npt.NDArray[np.int32]
    category: npt.NDArray[np.int32]
    department: npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Filter:
    """As a caller writes it, and the rows (n,) it leaves."""

    text: str
    mask: npt.NDArray[np.bool_]


def filters(columns: Columns, share: float, rng: np.random.Generator) -> list[Filter]:
    """EACH filters that leave about `share` of the products; of 1.0 there is one.

    Half are bands of price, in the whole shop; half are bands of price in a few departments, which hold other shares of
    what is near a product than of the whole.
    """
    n = len(columns.price)
    if share >= 1.0:
        return [Filter("price > 0", np.ones(n, np.bool_))]
    made = []
    for number in range(EACH):
        within, words = np.ones(n, np.bool_), ""
        if number % 2:
            chosen = rng.choice(len(np.unique(columns.department)), 12, replace=False)
            within = np.isin(columns.department[columns.category], chosen)
            words = " OR ".join(f'categories:"Department {d}"' for d in chosen.tolist())
            words = f" AND ({words})"
        inside = np.sort(columns.price[within])
        begin = int(rng.integers(0, max(1, len(inside) - int(share * n))))
        low, high = float(inside[begin]), float(inside[min(len(inside) - 1, begin + int(share * n))])
        mask = within & (columns.price >= low) & (columns.price < high)
        made.append(Filter(f"price >= {low!r} AND price < {high!r}{words}", mask))
    return made
