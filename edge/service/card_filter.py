"""Whether a card passes a filter or lies in a category, for answers that the recommender did not just make."""

from __future__ import annotations

from edge.domain.card import Card
from meshkit.filtering import PRODUCT_FIELDS, folded_path, parse, path_keys, predicate


def passes_filter(card: Card, filter_text: str) -> bool:
    """Raises InvalidArgument (FILTER_SYNTAX) if the filter does not parse."""
    return predicate(parse(filter_text, PRODUCT_FIELDS))(card.filter_record())


def in_category(card: Card, category: str) -> bool:
    """True if one of the product's category paths is the category or lies below it."""
    paths = card.fields().get("categories")
    wanted = folded_path(category)
    return isinstance(paths, list) and any(wanted in path_keys(path) for path in paths)
