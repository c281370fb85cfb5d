"""Read and change what a visitor stated."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from meshkit.errors import Aborted, FieldViolation, InvalidArgument
from profile_svc.domain.model import Preferences
from profile_svc.domain.ports import PreferenceRepository
from profile_svc.domain.rules import EDITABLE, checked_preferences, checked_visitor_id, has_control


class ReadPreferences:
    """Preferences of a visitor; an unknown visitor has empty ones."""

    def __init__(self, repository: PreferenceRepository) -> None:
        self._repository = repository

    def __call__(self, visitor_id: str) -> Preferences:
        """InvalidArgument for an id that can not be one."""
        return self._repository.get(checked_visitor_id(visitor_id)) or Preferences(visitor_id)


class UpdatePreferences:
    """Changes named fields of a visitor's preferences."""

    def __init__(self, repository: PreferenceRepository, clock: Callable[[], datetime]) -> None:
        self._repository = repository
        self._clock = clock

    def __call__(self, given: Preferences, mask: Sequence[str]) -> Preferences:
        """Sets the fields of `mask` (empty or "*": all) to those of `given`; returns the preferences now.

        Aborted (REVISION_MISMATCH) if `given.revision` is not 0 and not current. InvalidArgument names every wrong
        field, of the mask too.
        """
        fields = _fields(mask)
        checked_visitor_id(given.visitor_id)

        def edit(current: Preferences) -> Preferences:
            if given.revision not in (0, current.revision):
                raise Aborted(
                    f"the preferences are at revision {current.revision}, not {given.revision}; read them again"
                )
            return checked_preferences(replace(current, **{f: getattr(given, f) for f in fields}))

        return self._repository.change(given.visitor_id, self._clock(), edit)


@dataclass(frozen=True, slots=True)
class VisitorPage:
    """Visitors by id; `next_after_id` is "" on the last page."""

    visitors: Sequence[Preferences]
    next_after_id: str


class BrowseVisitors:
    """Visitors with preferences, for people."""

    def __init__(self, repository: PreferenceRepository) -> None:
        self._repository = repository

    def __call__(self, containing: str = "", after_id: str = "", page_size: int = 50) -> VisitorPage:
        """A page of visitors whose id holds `containing`, after an id."""
        if has_control(containing) or has_control(after_id):
            return VisitorPage((), "")
        found = self._repository.visitors(containing=containing, after_id=after_id, limit=page_size + 1)
        page = found[:page_size]
        return VisitorPage(page, page[-1].visitor_id if len(found) > page_size else "")

    def count(self) -> int:
        """All visitors with preferences."""
        return self._repository.count()


def _fields(mask: Sequence[str]) -> Sequence[str]:
    unknown = [path for path in mask if path not in EDITABLE and path != "*"]
    if unknown:
        raise InvalidArgument(
            FieldViolation("update_mask", f"{path[:100]!r} can not be changed; {', '.join(EDITABLE)} can")
            for path in unknown[:20]
        )
    return EDITABLE if not mask or "*" in mask else tuple(dict.fromkeys(mask))
