"""The catalog at a glance, for people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from catalog_svc.domain.model import CatalogCounts, Change
from catalog_svc.domain.ports import ProductRepository
from catalog_svc.service.list_categories import list_categories

LATEST = 20


@dataclass(frozen=True, slots=True)
class Overview:
    """Counts and the latest changes, newest first."""

    counts: CatalogCounts
    categories: int
    latest: Sequence[Change]


def overview(repository: ProductRepository, now: datetime) -> Overview:
    """Read in three steps; the numbers may be of slightly different moments."""
    return Overview(
        repository.counts(now), len(list_categories(repository, "", now)), repository.latest_changes(LATEST)
    )
