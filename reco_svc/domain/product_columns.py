"""The columns of a product table: writing products into rows, and reading one back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import TypeAlias

import numpy as np

from reco_svc.domain.columns import CodedColumn, NumberColumn, TextColumn
from reco_svc.domain.filter_mask import EPOCH, NO_TIME, microseconds
from reco_svc.domain.model import Availability, Product
from reco_svc.domain.ports import Rows

FilterColumn: TypeAlias = (
    TextColumn | CodedColumn[str] | CodedColumn[tuple[str, ...]] | NumberColumn[np.float64] | NumberColumn[np.int64]
)
_NO_ATTRIBUTES: Mapping[str, str] = {}


class ProductColumns:
    """One column per fact. Prices and times are kept twice: exactly for filters, and as the ranker wants them."""

    def __init__(self) -> None:
        self.ids, self.title, self.description, self.gtin = (TextColumn() for _ in range(4))
        self.brand, self.group, self.leaf = CodedColumn[str](), CodedColumn[str](), CodedColumn[str]()
        self.currency, self.availability = CodedColumn[str](), CodedColumn[str]()
        self.paths, self.tags = CodedColumn[tuple[str, ...]](), CodedColumn[tuple[str, ...]]()
        self.attributes: list[Mapping[str, str]] = []
        self.price, self.price_f32 = NumberColumn(np.float64, np.nan), NumberColumn(np.float32, np.nan)
        self.created_us, self.created_s = NumberColumn(np.int64, NO_TIME), NumberColumn(np.float64, 0.0)
        self.expires_us, self.expires_s = NumberColumn(np.int64, NO_TIME), NumberColumn(np.float64, np.inf)
        self.exists, self.hidden = NumberColumn(np.bool_, False), NumberColumn(np.bool_, False)
        self.sellable, self.in_stock = NumberColumn(np.bool_, False), NumberColumn(np.bool_, False)
        self.revision = NumberColumn(np.int64, 0)

    def grow(self, length: int) -> None:
        """Makes room for `length` rows of nothing."""
        texts = (self.ids, self.title, self.description, self.gtin)
        codes = (self.brand, self.group, self.leaf, self.currency, self.availability, self.paths, self.tags)
        facts = (self.price, self.price_f32, self.created_us, self.created_s, self.expires_us, self.expires_s)
        flags = (self.exists, self.hidden, self.sellable, self.in_stock, self.revision)
        for column in (*texts, *codes, *facts, *flags):
            column.grow(length)
        self.attributes.extend([_NO_ATTRIBUTES] * (length - len(self.attributes)))

    def put(self, at: Sequence[int], products: Sequence[Product], revisions: Sequence[int]) -> None:
        """Writes products into the rows `at`."""
        rows = np.asarray(at, np.int64)
        self._put_texts(at, products)
        self._put_codes(rows, products)
        self._put_times(rows, products)
        self.price.values[rows] = [np.nan if p.price is None else p.price for p in products]
        self.price_f32.values[rows] = self.price.values[rows]
        self.hidden.values[rows] = [p.hidden for p in products]
        self.exists.values[rows] = True
        self.sellable.values[rows] = ~self.hidden.values[rows]
        self.in_stock.values[rows] = [p.availability != Availability.OUT_OF_STOCK for p in products]
        self.revision.values[rows] = revisions

    def clear(self, rows: Rows, revisions: Sequence[int]) -> None:
        """Turns rows into tombstones and lets go of their texts."""
        if not len(rows):
            return
        for flag in (self.exists, self.sellable, self.in_stock, self.hidden):
            flag.values[rows] = False
        self.revision.values[rows] = revisions
        at = rows.tolist()
        for texts in (self.title, self.description):
            texts.put(at, [""] * len(at))
        for row in at:
            self.attributes[row] = _NO_ATTRIBUTES

    def product(self, row: int) -> Product:
        """The product of a row, as it was given."""
        price = float(self.price.values[row])
        return Product(
            product_id=self.ids.values[row],
            title=self.title.values[row],
            description=self.description.values[row],
            categories=self.paths.name(row) or (),
            brand=self.brand.name(row) or "",
            price=None if price != price else price,
            currency=self.currency.name(row) or "",
            availability=Availability(self.availability.name(row) or Availability.IN_STOCK),
            group_id=self.group.name(row) or "",
            gtin=self.gtin.values[row],
            attributes=self.attributes[row],
            tags=self.tags.name(row) or (),
            created_at=_time(int(self.created_us.values[row])),
            expires_at=_time(int(self.expires_us.values[row])),
            hidden=bool(self.hidden.values[row]),
            revision=int(self.revision.values[row]),
        )

    def filter_column(self, field: str) -> FilterColumn:
        """The column behind a filter field other than `in_stock` and `attributes`."""
        columns: Mapping[str, FilterColumn] = {
            "product_id": self.ids,
            "title": self.title,
            "description": self.description,
            "categories": self.paths,
            "brand": self.brand,
            "price": self.price,
            "currency": self.currency,
            "availability": self.availability,
            "group_id": self.group,
            "gtin": self.gtin,
            "tags": self.tags,
            "created_at": self.created_us,
            "expires_at": self.expires_us,
        }
        return columns[field]

    def _put_texts(self, at: Sequence[int], products: Sequence[Product]) -> None:
        self.ids.put(at, [p.product_id for p in products])
        self.title.put(at, [p.title for p in products])
        self.description.put(at, [p.description for p in products])
        self.gtin.put(at, [p.gtin for p in products])
        for row, product in zip(at, products, strict=True):
            self.attributes[row] = product.attributes or _NO_ATTRIBUTES

    def _put_codes(self, rows: Rows, products: Sequence[Product]) -> None:
        self.brand.put(rows, (p.brand for p in products))
        self.group.put(rows, (p.group_id for p in products))
        self.leaf.put(rows, (p.categories[0] if p.categories else "" for p in products))
        self.currency.put(rows, (p.currency for p in products))
        self.availability.put(rows, (p.availability.value for p in products))
        self.paths.put(rows, (p.categories for p in products))
        self.tags.put(rows, (p.tags for p in products))

    def _put_times(self, rows: Rows, products: Sequence[Product]) -> None:
        self.created_us.values[rows] = [microseconds(p.created_at) for p in products]
        self.expires_us.values[rows] = [microseconds(p.expires_at) for p in products]
        created, expires = self.created_us.values[rows], self.expires_us.values[rows]
        self.created_s.values[rows] = np.where(created == NO_TIME, 0.0, created / 1e6)
        self.expires_s.values[rows] = np.where(expires == NO_TIME, np.inf, expires / 1e6)


def _time(moment_us: int) -> datetime | None:
    return None if moment_us == NO_TIME else EPOCH + timedelta(microseconds=moment_us)
