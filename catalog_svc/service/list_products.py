"""Listing products page by page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from catalog_svc.domain.model import Product
from catalog_svc.domain.ports import ProductRepository
from catalog_svc.service.page_tokens import decode_token, encode_token
from meshkit.errors import InvalidArgument
from meshkit.filtering import PRODUCT_FIELDS, parse, to_text

DEFAULT_PAGE_SIZE = 50
MAX_PAGE_SIZE = 1_000


@dataclass(frozen=True, slots=True)
class Listing:
    """Products by product_id, and the token of the next page ("" on the last)."""

    products: Sequence[Product]
    next_page_token: str


def list_products(
    repository: ProductRepository,
    *,
    filter: str,
    page_size: int,
    page_token: str,
    include_hidden: bool,
    now: datetime,
) -> Listing:
    """A page of products. InvalidArgument: FILTER_SYNTAX, PAGE_TOKEN, or a negative page size."""
    expression = parse(filter, PRODUCT_FIELDS)
    limit = bounded("page_size", page_size, DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE)
    scope = f"{to_text(expression)}\x00{include_hidden}"
    after_id = decode_token(page_token, scope) if page_token else ""
    page = repository.page(expression, visible_at=None if include_hidden else now, after_id=after_id, limit=limit)
    token = "" if page.resume_after is None else encode_token(page.resume_after, scope)
    return Listing(page.products, token)


def bounded(field: str, asked: int, default: int, most: int) -> int:
    """A size as it is read: 0 means the default, more than the most means the most, a negative one is refused."""
    if asked < 0:
        raise InvalidArgument.of(field, f"must be 0 (for {default:,}) to {most:,}, not {asked}")
    return min(asked or default, most)
