"""Request bodies of the public routes, with every bound."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field, model_validator

from edge.domain.events import Interaction
from edge.domain.profile import Preferences, PreferencesChange
from edge.domain.recommendation import BOOST_TARGETS, Boost, Question, SessionStep
from edge.service.recommend_page import MOST_PRODUCTS
from edge.transport.bounds import (
    Brand,
    Currency,
    EventType,
    Filter,
    Id,
    Includable,
    Limit,
    MaybeId,
    Moment,
    Path,
    Placement,
    Price,
    Query,
    Strategy,
)


class Body(BaseModel):
    """Unknown fields and wrong types are refused, never guessed.

    What is in every question has factories, not defaults: pydantic would copy those deeply each time.
    """

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


class SessionStepIn(Body):
    """One step of the session the caller knows."""

    product_id: Id
    event: EventType = "view_item"
    at: Moment | None = None


class ContextIn(Body):
    """Where the recommendation will be shown."""

    product_id: MaybeId = Field("", description="Product on the page.")
    basket: list[Id] = Field(
        default_factory=list, max_length=100, description="Products in the basket; never recommended."
    )
    category: Path = Field("", description="Category on the page, with what is below it.")
    query: Query = Field("", description="What the visitor searched for.")


class BoostIn(Body):
    """Multiplies the score of a product, category, brand, tag or filter: give exactly one of them."""

    product_id: Id | None = None
    category: Path | None = None
    brand: Brand | None = None
    tag: Brand | None = None
    filter: Filter | None = None
    factor: float = Field(gt=0, le=100)

    @model_validator(mode="after")
    def _one_target(self) -> BoostIn:
        if sum(bool(getattr(self, name)) for name in BOOST_TARGETS) != 1:
            raise ValueError(f"give exactly one of {', '.join(BOOST_TARGETS)}")
        return self

    def boost(self) -> Boost:
        """In the edge's own words."""
        target = next(name for name in BOOST_TARGETS if getattr(self, name))
        return Boost(target, getattr(self, target), self.factor)


class RecommendationsIn(Body):
    """The general question: everything is optional."""

    placement: Placement = Field("", description="Where on the shop's pages; selects merchandising rules.")
    strategy: Strategy = "auto"
    visitor_id: MaybeId = Field("", description="Brings in the visitor's session, history and preferences.")
    session: list[SessionStepIn] = Field(default_factory=list, max_length=100, description="Oldest first.")
    context: ContextIn = Field(default_factory=ContextIn)
    filter: Filter = Field("", description="AIP-160 expression over product fields.")
    exclude: list[Id] = Field(default_factory=list, max_length=1000, description="Never answered.")
    boost: list[BoostIn] = Field(default_factory=list, max_length=50)
    limit: Limit = 10
    diversity: float | None = Field(None, ge=0, le=1, description="0: by score alone; 1: as varied as possible.")
    novelty: float | None = Field(None, ge=0, le=1, description="0: by score alone; 1: the rarest candidates first.")
    include: list[Includable] = Field(
        default_factory=list, max_length=2, description="Kinds of products otherwise left out."
    )
    explain: bool = Field(False, description="Reasons of every source, not only the strongest.")

    def question(self) -> Question:
        """In the edge's own words."""
        return Question(
            strategy=self.strategy,
            placement=self.placement,
            visitor_id=self.visitor_id,
            session=tuple([SessionStep(step.product_id, step.event, step.at) for step in self.session]),
            product_id=self.context.product_id,
            basket=tuple(self.context.basket),
            category=self.context.category,
            query=self.context.query,
            filter=self.filter,
            exclude=tuple(self.exclude),
            boosts=tuple(boost.boost() for boost in self.boost),
            limit=self.limit,
            diversity=self.diversity,
            novelty=self.novelty,
            include=tuple(sorted(set(self.include))) if self.include else (),
            explain=self.explain,
        )


class PlacementIn(Body):
    """One list of a page."""

    placement: Placement = Field(min_length=1, description="Names the list, and selects merchandising rules.")
    strategy: Strategy = "auto"
    filter: Filter = Field("", description="AIP-160 expression over product fields.")
    exclude: list[Id] = Field([], max_length=1000, description="Never answered here.")
    boost: list[BoostIn] = Field([], max_length=50)
    limit: Limit = 10
    diversity: float | None = Field(None, ge=0, le=1)
    novelty: float | None = Field(None, ge=0, le=1)
    include: list[Includable] = Field([], max_length=2)


class PageIn(Body):
    """Several lists of one page, for one visitor in one context. No product is in two of them."""

    visitor_id: MaybeId = Field("", description="Brings in the visitor's session, history and preferences.")
    session: list[SessionStepIn] = Field([], max_length=100, description="Oldest first.")
    context: ContextIn = ContextIn()
    explain: bool = Field(False, description="Reasons of every source, not only the strongest.")
    placements: list[PlacementIn] = Field(
        min_length=1, max_length=20, description="Earlier ones choose first; their limits add up to at most 100."
    )

    @model_validator(mode="after")
    def _fits(self) -> PageIn:
        names = [placement.placement for placement in self.placements]
        if len(set(names)) < len(names):
            raise ValueError("placements must have different names")
        if (total := sum(placement.limit for placement in self.placements)) > MOST_PRODUCTS:
            raise ValueError(f"the limits of the placements add up to {total}, at most {MOST_PRODUCTS}")
        return self

    def questions(self) -> list[Question]:
        """One for each placement, in the edge's own words."""
        shared = {"visitor_id": self.visitor_id, "session": self.session, "context": self.context}
        return [
            RecommendationsIn.model_validate({**shared, "explain": self.explain, **dict(placement)}).question()
            for placement in self.placements
        ]


class EventIn(Body):
    """One thing a visitor did."""

    event_id: Id = Field(description="Chosen by the sender, unique for ever; the effect of an id happens once.")
    type: EventType
    visitor_id: Id
    product_id: MaybeId = Field("", description="Empty only for search.")
    at: Moment | None = Field(None, description="When it happened; absent: now.")
    quantity: int | None = Field(None, ge=1, le=1_000_000)
    price: Price | None = Field(None, description="Of one piece.")
    currency: Currency | None = None
    order_id: MaybeId | None = None
    recommendation_id: MaybeId | None = Field(None, description="The answer the visitor acted on.")
    position: int | None = Field(None, ge=1, le=1_000_000, description="Position in that answer, from 1.")
    placement: Placement | None = None
    query: Query | None = Field(None, description="For search: the text.")
    session_id: MaybeId | None = None

    @model_validator(mode="after")
    def _subject(self) -> EventIn:
        if self.type == "search":
            if not self.query:
                raise ValueError("a search needs a query")
        elif not self.product_id:
            raise ValueError(f"a {self.type} needs a product_id")
        return self

    def interaction(self) -> Interaction:
        """In the edge's own words."""
        return Interaction(
            event_id=self.event_id,
            type=self.type,
            visitor_id=self.visitor_id,
            product_id=self.product_id,
            at=self.at,
            quantity=self.quantity,
            price=self.price,
            currency=self.currency or "",
            order_id=self.order_id or "",
            recommendation_id=self.recommendation_id or "",
            position=self.position,
            placement=self.placement or "",
            query=self.query or "",
            session_id=self.session_id or "",
        )


class EventsIn(Body):
    """Events of the mesh; a GA4 e-commerce payload is read as well, by its content."""

    events: list[EventIn] = Field(min_length=1, max_length=1000)


class ProfileIn(Body):
    """New values; a field that is left out keeps its value, null clears it. `currency` goes with the prices."""

    categories: list[Path] | None = Field(None, max_length=50)
    brands: list[Brand] | None = Field(None, max_length=50)
    excluded_categories: list[Path] | None = Field(None, max_length=50, description="Never shown.")
    price_min: Price | None = None
    price_max: Price | None = None
    currency: Currency | None = None
    opted_out: bool | None = Field(None, description="No answer depends on the visitor any more.")

    @model_validator(mode="after")
    def _currency_with_price(self) -> ProfileIn:
        priced = self.price_min is not None or self.price_max is not None
        if priced and not self.currency:
            raise ValueError('a price needs a currency: three letters (ISO 4217) such as "EUR"')
        if self.currency and not priced:
            raise ValueError("a currency needs price_min or price_max beside it")
        if self.price_min is not None and self.price_max is not None and self.price_min > self.price_max:
            raise ValueError("price_min must not be above price_max")
        return self

    def change(self, visitor_id: str) -> PreferencesChange:
        """In the edge's own words."""
        values = Preferences(
            visitor_id=visitor_id,
            categories=tuple(self.categories or ()),
            brands=tuple(self.brands or ()),
            excluded_categories=tuple(self.excluded_categories or ()),
            price_min=self.price_min,
            price_max=self.price_max,
            currency=self.currency or "",
            opted_out=bool(self.opted_out),
        )
        return PreferencesChange(values, frozenset(self.model_fields_set - {"currency"}))
