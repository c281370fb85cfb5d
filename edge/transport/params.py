"""Query parameters of the public routes."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from edge.transport.bounds import Filter, Id, Includable, Limit, Path, Placement
from edge.transport.examples import PRODUCT_ID


class Params(BaseModel):
    """Query parameters; an unknown one is refused, so that a misspelt filter never goes unseen."""

    model_config = ConfigDict(extra="forbid")


class RankingParams(Params):
    """Parameters of every GET route that recommends."""

    limit: Limit = 10
    filter: Filter = Field("", description='AIP-160 expression over product fields: `price < 50 AND brand = "Acme"`.')
    placement: Placement = Field("", description="Where on the shop's pages; selects merchandising rules.")
    include: list[Includable] = Field([], description="Kinds of products otherwise left out.")
    fields: Literal["product_id"] | None = Field(None, description="`product_id` leaves the product cards out.")


class LeaderboardParams(RankingParams):
    """Parameters of leaderboards."""

    category: Path = Field("", description="Only this category and what is below it.")


class FieldsParams(Params):
    """Parameters of POST /v1/recommendations."""

    fields: Literal["product_id"] | None = Field(None, description="`product_id` leaves the product cards out.")


class ExplanationParams(Params):
    """Parameters of an explanation."""

    product_id: Id = Field(description="Any product.", examples=[PRODUCT_ID])


class ProductsParams(Params):
    """Parameters of the product list."""

    filter: Filter = Field("", description='AIP-160 expression over product fields: `category:"Kitchen"`.')
    page_size: int = Field(50, ge=1, le=1000)
    page_token: str = Field("", max_length=2000, description="`next_page_token` of the page before.")


class SearchParams(Params):
    """Parameters of search."""

    q: str = Field(
        min_length=1, max_length=500, pattern=r"\S", description="Words to look for.", examples=["chef knife"]
    )
    filter: Filter = Field("", description="AIP-160 expression over product fields.")
    limit: Limit = 10
    include: list[Includable] = Field([], description="`out_of_stock`: sold-out products too.")


class CategoriesParams(Params):
    """Parameters of the category list."""

    parent: Path = Field("", description="Only this path and what is below it.")


class NoParams(Params):
    """For routes without parameters."""
