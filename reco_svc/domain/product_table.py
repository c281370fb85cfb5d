"""The catalog in columns: what answering reads of every product, by row number.

Rows 0 … n-1 of a trained snapshot stand first, in its order; later products follow. A deleted product keeps its row as
a tombstone, and gets it back when it returns. One thread changes the table and reads it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from itertools import islice

import numpy as np
import numpy.typing as npt

from meshkit.filtering import PATH_SEPARATOR, Expression, fold, folded_path
from meshkit.pace import no_pause
from reco_svc.domain.columns import Selection
from reco_svc.domain.filter_mask import compile_filter
from reco_svc.domain.id_order import IdOrder
from reco_svc.domain.leaderboard import LeaderboardCache
from reco_svc.domain.mask_cache import MaskCache, RowJournal, RowTest
from reco_svc.domain.model import Product, ProductChange
from reco_svc.domain.ports import Mask, Rows, Vectors
from reco_svc.domain.price_order import PriceOrder, PriceOrders
from reco_svc.domain.product_columns import ProductColumns
from reco_svc.domain.shelf import Shelf
from reco_svc.domain.top_k import top_k

__all__ = ["OUT_OF_STOCK", "ProductTable", "top_k"]

OUT_OF_STOCK = "out_of_stock"
LOADED_AT_ONCE = 500


class ProductTable:
    """Products by row. Column properties are views of length `len(table)`; do not keep or change them.

    `revision` is the catalog revision shown. `mask_bytes` bounds the memory of remembered masks.
    """

    def __init__(self, *, mask_bytes: int = 64 << 20) -> None:
        self.revision = 0
        self._columns = ProductColumns()
        self._row_of: dict[str, int] = {}
        self._order = IdOrder()
        self._journal = RowJournal()
        self._masks = MaskCache(self._journal, budget_bytes=mask_bytes)
        self._by_price = PriceOrders(self._journal)
        self._shelf = Shelf()
        self.leaderboards = LeaderboardCache()

    def __len__(self) -> int:
        return len(self._row_of)

    @property
    def epoch(self) -> int:
        """Grows with every change."""
        return self._journal.epoch

    # One product.

    def row(self, product_id: str) -> int:
        """Row of a product; -1 when it is unknown or deleted."""
        row = self._row_of.get(product_id, -1)
        return row if row >= 0 and self._columns.exists.values[row] else -1

    def last_row(self, product_id: str) -> int:
        """Row of a product, also of one that was deleted; -1 when it was never known."""
        return self._row_of.get(product_id, -1)

    def id(self, row: int) -> str:
        """Product id of a row, tombstones included."""
        return self._columns.ids.values[row]

    def exists(self, row: int) -> bool:
        """False for the tombstone of a deleted product."""
        return bool(self._columns.exists.values[row])

    def revision_of(self, product_id: str) -> int:
        """Catalog revision of the last change of a product, its deletion included; -1 when it was never known."""
        row = self._row_of.get(product_id)
        return -1 if row is None else int(self._columns.revision.values[row])

    def product(self, row: int) -> Product:
        """The product as it was given; LookupError for a tombstone."""
        if not self.exists(row):
            raise LookupError(f"product {self.id(row)!r} was deleted")
        return self._columns.product(row)

    def category_paths(self, row: int) -> tuple[str, ...]:
        """Category paths of a product as given; () without any."""
        return self._columns.paths.name(row) or ()

    def brand_name(self, code: int) -> str:
        """Brand of a code of `brand`; "" for -1."""
        return self._columns.brand.names[code] if code >= 0 else ""

    def leaf_name(self, code: int) -> str:
        """Category path of a code of `leaf`; "" for -1."""
        return self._columns.leaf.names[code] if code >= 0 else ""

    # Columns.

    @property
    def ids(self) -> Sequence[str]:
        """Product ids by row."""
        return self._columns.ids.values

    @property
    def id_rank(self) -> Rows:
        """Place of each row in the order of product ids."""
        return self._order.rank(self.ids)

    @property
    def rows_by_id(self) -> Rows:
        """Every row, in order of product ids."""
        return self._order.rows(self.ids)

    @property
    def price(self) -> Vectors:
        """What a shopper pays now; NaN unknown."""
        return self._columns.price_f32.values

    @property
    def created_s(self) -> npt.NDArray[np.float64]:
        """Unix time; 0 unknown."""
        return self._columns.created_s.values

    @property
    def expires_s(self) -> npt.NDArray[np.float64]:
        """Unix time; inf for never."""
        return self._columns.expires_s.values

    @property
    def brand(self) -> npt.NDArray[np.int32]:
        """Code of the brand; -1 without one."""
        return self._columns.brand.codes

    @property
    def group(self) -> npt.NDArray[np.int32]:
        """Code of the group of variants; -1 without one."""
        return self._columns.group.codes

    @property
    def leaf(self) -> npt.NDArray[np.int32]:
        """Code of the first category path; -1 without one."""
        return self._columns.leaf.codes

    @property
    def sellable(self) -> Mask:
        """Exists and is not hidden."""
        return self._columns.sellable.values

    @property
    def in_stock(self) -> Mask:
        """Availability is anything but out_of_stock."""
        return self._columns.in_stock.values

    # Masks: shape (len(table),), read-only.

    def visible(self, now_s: float, include: Collection[str]) -> Mask:
        """What may be shown at `now_s`: sellable, not expired, in stock unless `include` has "out_of_stock"."""
        in_stock = None if OUT_OF_STOCK in include else self.in_stock
        return self._shelf.visible(now_s, self._journal.epoch, self.sellable, self.expires_s, in_stock)

    def in_category(self, path: str) -> Mask:
        """Products with a category path equal to `path` or below it, case-insensitive."""
        return self._masks.get(("category", path), len(self), lambda: self._category_test(folded_path(path)))

    def matching(self, expression: Expression) -> Mask:
        """Products that pass a filter, exactly as `meshkit.filtering.predicate` says."""
        return self._masks.get(expression, len(self), lambda: compile_filter(expression, self._columns))

    def of_brand(self, brand: str) -> Mask:
        """Products of a brand, case-insensitive."""
        wanted = fold(brand)
        test = self._columns.brand.test
        return self._masks.get(
            ("brand", brand), len(self), lambda: lambda rows: test(lambda b: fold(b) == wanted, rows)
        )

    def tagged(self, tag: str) -> Mask:
        """Products with a tag, case-insensitive."""
        wanted = fold(tag)
        test = self._columns.tags.test

        def has(tags: tuple[str, ...]) -> bool:
            return any(fold(known) == wanted for known in tags)

        return self._masks.get(("tag", tag), len(self), lambda: lambda rows: test(has, rows))

    # Orders by price.

    def leaf_by_price(self, code: int) -> PriceOrder:
        """Products whose `leaf` has a code."""
        return self._by_price.get(("leaf", code), lambda: self.leaf == code, self.price)

    def brand_by_price(self, code: int) -> PriceOrder:
        """Products whose `brand` has a code."""
        return self._by_price.get(("brand", code), lambda: self.brand == code, self.price)

    def category_by_price(self, path: str) -> PriceOrder:
        """Products `in_category`."""
        return self._by_price.get(("category", path), lambda: self.in_category(path), self.price)

    def named_brand_by_price(self, brand: str) -> PriceOrder:
        """Products `of_brand`."""
        return self._by_price.get(("of_brand", brand), lambda: self.of_brand(brand), self.price)

    # Changes.

    def load(
        self,
        products: Iterable[Product],
        revision: int,
        *,
        at_once: int = LOADED_AT_ONCE,
        pause: Callable[[], None] = no_pause,
    ) -> None:
        """Fills an empty table: one row per product, in order. `revision` is the catalog's that they show. After each
        `at_once` products it calls `pause`."""
        rest = iter(products)
        while some := list(islice(rest, at_once)):
            self._upsert([p.product_id for p in some], some, [p.revision for p in some])
            pause()
        self.revision = max(self.revision, revision)

    def apply(self, changes: Sequence[ProductChange]) -> Rows:
        """Takes changes of the catalog feed; one older than its row is ignored. Returns the rows touched, each once.

        A deletion of a product that was never known takes a row too, so that a snapshot's rows can be kept in order.
        """
        news = {
            change.product_id: change for change in changes if change.revision >= self.revision_of(change.product_id)
        }
        put = [(c.product_id, c.product, c.revision) for c in news.values() if c.product is not None]
        gone = [c for c in news.values() if c.product is None]
        touched = self._upsert([id_ for id_, _, _ in put], [p for _, p, _ in put], [r for _, _, r in put])
        buried = self._delete([c.product_id for c in gone], [c.revision for c in gone])
        self.revision = max([self.revision, *(change.revision for change in changes)])
        return np.concatenate([touched, buried])

    def _upsert(self, ids: Sequence[str], products: Sequence[Product], revisions: Sequence[int]) -> Rows:
        rows = self._rows_for(ids)
        if len(rows):
            self._columns.put(rows.tolist(), products, revisions)
            self._journal.add(rows)
        return rows

    def _delete(self, ids: Sequence[str], revisions: Sequence[int]) -> Rows:
        rows = self._rows_for(ids)
        if len(rows):
            self._columns.ids.put(rows.tolist(), ids)
            self._columns.clear(rows, revisions)
            self._journal.add(rows)
        return rows

    def _rows_for(self, ids: Sequence[str]) -> Rows:
        row_of = self._row_of
        rows = [row_of.setdefault(product_id, len(row_of)) for product_id in ids]
        self._columns.grow(len(row_of))
        return np.array(rows, np.int64)

    def _category_test(self, wanted: str) -> RowTest:
        below = wanted + PATH_SEPARATOR

        def inside(paths: tuple[str, ...]) -> bool:
            return any((folded := folded_path(path)) == wanted or folded.startswith(below) for path in paths)

        def test(selection: Selection) -> Mask:
            return self._columns.paths.test(inside, selection)

        return test
