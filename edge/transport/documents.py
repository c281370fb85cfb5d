"""The answers as the OpenAPI document describes them. Nothing is validated with these models at run time."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, Field

from meshkit.web.problem import MEDIA_TYPE


class ProductOut(BaseModel):
    """A product card. `price` is a number in `currency`; fields that are not known are null or left out."""

    product_id: str
    title: str
    description: str
    categories: list[str] = Field(description='Paths from general to special: "Home > Kitchen > Knives".')
    brand: str
    price: float | None
    sale_price: float | None = Field(None, description="Price now; left out without a sale.")
    currency: str | None
    availability: Literal["in_stock", "out_of_stock", "preorder", "backorder"]
    group_id: str | None = Field(None, description="Variants of one thing share it; left out without.")
    image_url: str
    url: str
    gtin: str | None = None
    attributes: dict[str, str]
    tags: list[str]
    created_at: datetime
    expires_at: datetime | None = None
    hidden: bool


class ProductsOut(BaseModel):
    """A list of products."""

    products: list[ProductOut]
    next_page_token: str = Field(description="Empty on the last page.")


class CategoryOut(BaseModel):
    """A category with the number of visible products in it and below it."""

    path: str
    product_count: int


class CategoriesOut(BaseModel):
    """Categories by path."""

    categories: list[CategoryOut]


class ItemOut(BaseModel):
    """One recommended product."""

    product_id: str
    position: int = Field(description="From 1, without gaps.")
    score: float = Field(description="Greater is better; comparable within one answer only.")
    source: str = Field(description='What weighed most: "similar", "session", "popular", …')
    reasons: list[str] = Field(description='Strongest first: "similar_to:chef-knife-1", "popular_in:Kitchen".')
    product: ProductOut | None = Field(
        None, description="Left out with `fields=product_id`; null while the catalog is away and no copy is held."
    )


class RecommendationOut(BaseModel):
    """A recommendation."""

    recommendation_id: str = Field(description="Send it back with events.")
    items: list[ItemOut]
    unknown_ids: list[str] = Field(description="Products of the context that the mesh does not know; ignored.")
    fallback_level: int = Field(description="0: the strategy itself filled the list; 10: popular, from memory.")
    degraded: bool = Field(description="Something that should have helped was away.")
    model_version: str
    rules_version: str
    generated_at: datetime


class PlacedOut(RecommendationOut):
    """One list of a page."""

    placement: str = Field(description="As asked.")


class PageOut(BaseModel):
    """The lists of a page, in the order asked; no product is in two of them."""

    placements: list[PlacedOut]


class OpinionOut(BaseModel):
    """What one source thought of the product."""

    source: str
    score: float
    rank: int = Field(description="Among the source's candidates, from 1.")


class ExplanationOut(BaseModel):
    """Why a product is, or is not, in an answer."""

    position: int = Field(description="In the answer, from 1; 0: not in it.")
    opinions: list[OpinionOut] = Field(description="Sources that propose it, asked again now.")
    removed_by: str = Field(
        description='"filter", "never_show:out_of_stock", "rule:7", "near_duplicate:p4", …; empty when shown.'
    )
    reasons: list[str]


class VerdictOut(BaseModel):
    """What became of one event."""

    event_id: str
    verdict: Literal["accepted", "duplicate", "late", "unknown_product", "invalid"]
    reason: str | None = Field(None, description="Only for invalid.")


class VerdictsOut(BaseModel):
    """One verdict per event, in the order they were sent."""

    verdicts: list[VerdictOut]


class ProfileOut(BaseModel):
    """Preferences of an anonymous visitor."""

    visitor_id: str
    categories: list[str]
    brands: list[str]
    excluded_categories: list[str]
    price_min: float | None
    price_max: float | None
    currency: str
    opted_out: bool
    segments: list[str]
    updated_at: datetime | None


class ErasedPartOut(BaseModel):
    """One line of a receipt."""

    store: str
    what: str
    count: int
    state: Literal["erased", "pending"]


class ReceiptOut(BaseModel):
    """Proof of an erasure."""

    receipt_id: str
    requested_at: datetime
    parts: list[ErasedPartOut]


class AgeOut(BaseModel):
    """Age of one kind of data; `as_of` and `age_s` are null for never."""

    name: str
    as_of: datetime | None
    age_s: float | None
    note: str


class FreshnessOut(BaseModel):
    """Ages by name."""

    entries: list[AgeOut]


class FieldErrorOut(BaseModel):
    """One wrong field."""

    field: str
    detail: str


class ProblemOut(BaseModel):
    """A problem (RFC 9457)."""

    type: str = Field(description="Stable URI that names the kind of problem.")
    title: str
    status: int
    detail: str
    errors: list[FieldErrorOut]
    trace_id: str = Field(description="The request id: operators find the request by it.")


_PROBLEMS = {
    400: "The request is wrong; `errors` says which field and what is allowed.",
    404: "There is no such product or recommendation.",
    409: "The Idempotency-Key is in use or came with another request.",
    413: "The body is too large.",
    503: "A part of the mesh is away and nothing held can answer; see Retry-After.",
}


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The error answers of a route, as FastAPI's `responses`."""
    schema = {"$ref": "#/components/schemas/ProblemOut"}
    content = {MEDIA_TYPE: {"schema": schema}}
    return {status: {"description": _PROBLEMS[status], "content": content} for status in statuses}


def body_document(model: type[BaseModel], examples: dict[str, Any]) -> dict[str, Any]:
    """The request body of a route that reads it itself, as FastAPI's `openapi_extra`."""
    schema = {"$ref": f"#/components/schemas/{model.__name__}"}
    return {
        "requestBody": {"required": True, "content": {"application/json": {"schema": schema, "examples": examples}}}
    }
