"""The change feed."""

from __future__ import annotations

from catalog_svc.domain.errors import CursorAhead
from catalog_svc.domain.model import ChangePage
from catalog_svc.domain.ports import ProductRepository
from catalog_svc.service.list_products import bounded
from meshkit.errors import InvalidArgument

DEFAULT_PAGE_SIZE = 1_000
MAX_PAGE_SIZE = 5_000


def list_changes(repository: ProductRepository, after_revision: int, page_size: int) -> ChangePage:
    """Changes after a cursor. CursorAhead if the cursor is of another, longer store."""
    if after_revision < 0:
        raise InvalidArgument.of("after_revision", f"must be 0 or more, not {after_revision}")
    limit = bounded("page_size", page_size, DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE)
    page = repository.changes(after_revision, limit)
    if not page.changes and after_revision > (revision := repository.revision()):
        raise CursorAhead(after_revision, revision)
    return page
