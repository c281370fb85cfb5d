"""What the catalog needs from outside. Every method raises `meshkit.errors.Unavailable("store")` when it is away."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from catalog_svc.domain.model import (
    CatalogCounts,
    Change,
    ChangePage,
    Deleted,
    ImportJob,
    Product,
    ProductPage,
    RejectedInput,
    SearchHit,
    Written,
)
from meshkit.filtering import Expression


class ProductRepository(Protocol):
    """Keeps products, their words and their change feed. Thread-safe.

    Each change takes the next revision; revisions become visible in order, so that a reader who saw revision n has
    seen everything up to n. A deleted product leaves its revision behind as a tombstone.
    """

    def prepare(self) -> None:
        """Makes ready what must exist before the first use (tables); may be called again."""
        ...

    def ping(self) -> None:
        """Returns if the store answers."""
        ...

    def upsert(self, products: Sequence[Product], now: datetime) -> Written:
        """Creates or replaces valid products in one step; the last of a repeated id counts.

        A product without `created_at` keeps the stored one, or gets `now`. A product that is already so is left alone
        and keeps its revision.
        """
        ...

    def delete(self, product_ids: Sequence[str], now: datetime) -> Deleted:
        """Deletes products in one step."""
        ...

    def get(self, product_ids: Sequence[str]) -> Mapping[str, Product]:
        """The products that exist, by id."""
        ...

    def page(self, filter: Expression | None, *, visible_at: datetime | None, after_id: str, limit: int) -> ProductPage:
        """Products after an id, by product_id in byte order. `visible_at` leaves out what is hidden or expired then."""
        ...

    def search(
        self, words: Sequence[str], filter: Expression | None, *, visible_at: datetime, limit: int
    ) -> Sequence[SearchHit]:
        """Visible products with any of the words (`domain.words`), best first by `domain.word_scores`; ties by id.

        The words differ from each other and are at least one.
        """
        ...

    def category_counts(self, visible_at: datetime) -> Mapping[tuple[str, ...], int]:
        """Lists of category paths, as they stand on products, to the number of visible products that bear them."""
        ...

    def changes(self, after_revision: int, limit: int) -> ChangePage:
        """Changes after a revision; fewer than `limit` when the products are large."""
        ...

    def changed_ids(self, after_revision: int, limit: int) -> Sequence[tuple[int, str]]:
        """Revision and product id of changes after a revision, in order."""
        ...

    def latest_changes(self, limit: int) -> Sequence[Change]:
        """Newest first."""
        ...

    def revision(self) -> int:
        """The greatest revision, 0 for a new store."""
        ...

    def advance(self, revision: int) -> None:
        """Changes from now on take revisions greater than `revision`; a smaller one than there is changes nothing."""
        ...

    def counts(self, now: datetime) -> CatalogCounts:
        """The catalog in numbers."""
        ...

    def close(self) -> None:
        """Frees everything."""
        ...


class RelayCursor(Protocol):
    """Remembers up to which revision changes were handed to the queue."""

    def read(self) -> int:
        """0 when nothing was handed over."""
        ...

    def advance(self, seen: int, revision: int) -> bool:
        """Moves from `seen` to `revision`; False if someone else has moved it meanwhile."""
        ...


class ImportJobRepository(Protocol):
    """Remembers import jobs and the lines they refused. Thread-safe."""

    def save(self, job: ImportJob, rejected: Sequence[RejectedInput] = ()) -> None:
        """Creates or replaces a job and appends refused lines."""
        ...

    def get(self, job_id: str) -> ImportJob | None:
        """The job, or None."""
        ...

    def latest(self, limit: int) -> Sequence[ImportJob]:
        """Newest first."""
        ...

    def rejected(self, job_id: str, *, after_line: int, limit: int) -> Sequence[RejectedInput]:
        """Refused lines after a line, in order."""
        ...

    def interrupt(self, owner: str, *, stale_before: datetime, now: datetime) -> int:
        """Marks unfinished jobs as INTERRUPTED that are the owner's, or not seen since; returns how many."""
        ...
