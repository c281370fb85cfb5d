"""Categories and how many products a shopper sees in them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from catalog_svc.domain.model import Category
from catalog_svc.domain.ports import ProductRepository
from meshkit.errors import InvalidArgument
from meshkit.filtering.text import PATH_SEPARATOR, normal_path

MAX_CATEGORIES = 10_000
MAX_PARENT_CHARACTERS = 500


def list_categories(repository: ProductRepository, parent: str, now: datetime) -> Sequence[Category]:
    """Every category path by path, or those at and below `parent`; at most 10,000. An unknown parent has none.

    A product counts once in a path, even if it stands in several categories below it.
    """
    if len(parent) > MAX_PARENT_CHARACTERS:
        raise InvalidArgument.of("parent", f"must have at most {MAX_PARENT_CHARACTERS} characters")
    path = normal_path(parent)
    if parent.strip() and not path:
        raise InvalidArgument.of("parent", 'must be a category path such as "Home > Kitchen"')
    counts: Counter[str] = Counter()
    for categories, products in repository.category_counts(now).items():
        for prefix in {prefix for category in categories for prefix in prefixes(category)}:
            counts[prefix] += products
    below = f"{path}{PATH_SEPARATOR}"
    wanted = sorted(p for p in counts if not path or p == path or p.startswith(below))
    return [Category(p, counts[p]) for p in wanted[:MAX_CATEGORIES]]


def prefixes(path: str) -> list[str]:
    """A path and everything above it: "A > B" -> ["A", "A > B"]."""
    parts = path.split(PATH_SEPARATOR)
    return [PATH_SEPARATOR.join(parts[:end]) for end in range(1, len(parts) + 1)]
