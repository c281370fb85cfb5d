"""Reading products by id."""

from __future__ import annotations

from collections.abc import Sequence

from catalog_svc.domain.model import Product
from catalog_svc.domain.ports import ProductRepository
from catalog_svc.domain.validation import id_violation
from meshkit.errors import InvalidArgument, NotFound

MAX_BATCH = 1_000


def get_product(repository: ProductRepository, product_id: str) -> Product:
    """One product, hidden and expired ones too. NotFound (PRODUCT_NOT_FOUND) if unknown or deleted."""
    check_id(product_id)
    return found(product_id, repository.get([product_id]).get(product_id))


def check_id(product_id: str) -> None:
    """InvalidArgument for an id that no product can have."""
    wrong = id_violation("product_id", product_id)
    if wrong:
        raise InvalidArgument([wrong])


def found(product_id: str, product: Product | None) -> Product:
    """The product. NotFound (PRODUCT_NOT_FOUND) for None."""
    if product is None:
        raise NotFound("product", product_id)
    return product


def batch_get_products(
    repository: ProductRepository, product_ids: Sequence[str]
) -> tuple[Sequence[Product], Sequence[str]]:
    """Products found and ids not found, both in the order asked; repeats are answered once."""
    if len(product_ids) > MAX_BATCH:
        raise InvalidArgument.of("product_ids", f"must be at most {MAX_BATCH:,}, not {len(product_ids):,}")
    wanted = list(dict.fromkeys(product_ids))
    known = repository.get([i for i in wanted if id_violation("", i) is None])
    return [known[i] for i in wanted if i in known], [i for i in wanted if i not in known]
