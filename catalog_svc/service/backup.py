"""Moving the catalog between stores, through the repository alone, so that every kind of store can take part."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from itertools import islice

from catalog_svc.domain.model import Availability, Product
from catalog_svc.domain.ports import ProductRepository
from meshkit.backup.port import Record, Records

_PAGE = 500
_MOMENTS = ("created_at", "expires_at")


class CatalogBackup:
    """See `meshkit.backup.port.BackedUp`. Sections: `products` (all but tombstones) and `catalog_revision`.

    Revisions are given anew, greater than every old one, so that whoever followed the old feed follows on. A backup of
    a catalog that is being changed holds each product as it was at some moment of the backup.
    """

    def __init__(self, repository: ProductRepository) -> None:
        self._repository = repository

    def read(self) -> Iterator[tuple[str, Iterator[Record]]]:
        """Products by id."""
        yield "products", (product_record(product) for product in self._products())
        yield "catalog_revision", iter([{"revision": self._repository.revision()}])

    def holds(self) -> int:
        """Products."""
        return self._repository.counts(datetime.now(UTC)).products

    def replace(self, records: Records) -> None:
        """In steps of 500: a catalog may live in a store without transactions. Repeating it mends what was cut off."""
        now = datetime.now(UTC)
        known = self._products()
        while ids := [product.product_id for product in islice(known, _PAGE)]:
            self._repository.delete(ids, now)
        self._repository.advance(max((int(r["revision"]) for r in records("catalog_revision")), default=0))
        products = records("products")
        while batch := [product_of(record) for record in islice(products, _PAGE)]:
            self._repository.upsert(batch, now)

    def _products(self) -> Iterator[Product]:
        after: str | None = ""
        while after is not None:
            page = self._repository.page(None, visible_at=None, after_id=after, limit=_PAGE)
            yield from page.products
            after = page.resume_after


def product_record(product: Product) -> Record:
    """The JSON object of a product, without what the store sets."""
    record = asdict(product)
    del record["revision"], record["updated_at"]
    record["availability"] = product.availability.value
    for name in _MOMENTS:
        if record[name] is not None:
            record[name] = record[name].isoformat()
    return record


def product_of(record: Record) -> Product:
    """The product of a JSON object."""
    fields = dict(record)
    fields["availability"] = Availability(record["availability"])
    for name in ("categories", "tags"):
        fields[name] = tuple(record[name])
    for name in _MOMENTS:
        if record[name] is not None:
            fields[name] = datetime.fromisoformat(record[name])
    return Product(**fields)
