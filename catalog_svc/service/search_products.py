"""Finding products by words."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from catalog_svc.domain.model import SearchHit
from catalog_svc.domain.ports import ProductRepository
from catalog_svc.domain.words import query_words
from catalog_svc.service.list_products import bounded
from meshkit.errors import InvalidArgument
from meshkit.filtering import PRODUCT_FIELDS, parse

MAX_QUERY_CHARACTERS = 500
DEFAULT_LIMIT = 10
MAX_LIMIT = 100


def search_products(
    repository: ProductRepository, *, query: str, filter: str, limit: int, now: datetime
) -> Sequence[SearchHit]:
    """Visible products, best first. A query without any word ("?!") finds nothing."""
    if not query.strip():
        raise InvalidArgument.of("query", "is required")
    if len(query) > MAX_QUERY_CHARACTERS:
        raise InvalidArgument.of("query", f"must have at most {MAX_QUERY_CHARACTERS} characters")
    expression = parse(filter, PRODUCT_FIELDS)
    most = bounded("limit", limit, DEFAULT_LIMIT, MAX_LIMIT)
    words = query_words(query)
    return repository.search(words, expression, visible_at=now, limit=most) if words else []
