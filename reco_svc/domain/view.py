"""Everything one answer is computed from, at one moment.

A view is cheap to make and is replaced, not changed, when a snapshot is swapped or rules are published; the tables it
points to (`products`, `vectors`, `popularity`) follow the feeds. One thread, the event loop, applies changes and
answers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from reco_svc.domain.diversity import NO_TWINS
from reco_svc.domain.model import RuleSet
from reco_svc.domain.ports import Vectors
from reco_svc.domain.rules import RuleBook

if TYPE_CHECKING:
    from reco_svc.domain.popularity import Popularity
    from reco_svc.domain.product_table import ProductTable
    from reco_svc.domain.snapshot import SessionIndex, Snapshot
    from reco_svc.domain.vector_space import VectorSpace


@dataclass(frozen=True, slots=True)
class View:
    """`snapshot` is None until a model was trained; `vectors` and `popularity` are never None, but may be empty.

    `book` holds `rules` ready to use, made on demand when it is None. `fresh` are the sessions since the snapshot, over
    rows of `products`; None: none are known. `text_vector` puts the words of a search into the space of `vectors`
    (None for words nobody knows); None: nothing can.
    """

    products: ProductTable
    vectors: VectorSpace
    popularity: Popularity
    snapshot: Snapshot | None
    rules: RuleSet
    book: RuleBook | None = None
    fresh: SessionIndex | None = None
    text_vector: Callable[[str], Vectors | None] | None = None

    @property
    def twins(self) -> npt.NDArray[np.int32]:
        """By row a code that near-duplicates share, -1 for a row without any; rows that came later are past its end."""
        return self.snapshot.twins if self.snapshot else NO_TWINS

    @property
    def rule_book(self) -> RuleBook:
        """The rules, ready to use."""
        return self.book or RuleBook.of(self.rules)
