"""The change feed that the recommender follows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from meshkit.errors import InvalidArgument
from profile_svc.domain.model import PreferenceChange
from profile_svc.domain.ports import PreferenceRepository

DEFAULT_PAGE = 1_000
MAX_PAGE = 5_000


@dataclass(frozen=True, slots=True)
class ChangePage:
    """Changes in order, where to go on, and whether more wait now."""

    changes: Sequence[PreferenceChange]
    next_revision: int
    has_more: bool


class ListPreferenceChanges:
    """Pages of the feed."""

    def __init__(self, repository: PreferenceRepository) -> None:
        self._repository = repository

    def __call__(self, after_revision: int, page_size: int) -> ChangePage:
        """`page_size` 0 means 1,000; more than 5,000 is read as 5,000."""
        if after_revision < 0:
            raise InvalidArgument.of("after_revision", "must not be negative; 0 starts at the beginning")
        if page_size < 0:
            raise InvalidArgument.of("page_size", "must not be negative; 0 means 1,000")
        size = min(page_size or DEFAULT_PAGE, MAX_PAGE)
        found = self._repository.changes_after(after_revision, limit=size + 1)
        page = found[:size]
        return ChangePage(page, page[-1].revision if page else after_revision, len(found) > size)
