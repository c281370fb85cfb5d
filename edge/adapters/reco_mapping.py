"""Between the edge's questions, events and answers and the messages of reco.v1."""

from __future__ import annotations

from datetime import UTC, datetime

from google.protobuf.timestamp_pb2 import Timestamp
from recomesh.reco.v1 import reco_pb2, reco_service_pb2

from edge.domain.events import EVENT_TYPES, EventVerdict, Interaction
from edge.domain.listing import FreshnessEntry
from edge.domain.recommendation import (
    STRATEGIES,
    Explanation,
    Question,
    RankedItem,
    Recommendation,
    SourceOpinion,
)
from meshkit.product_card import money_from_float

_STRATEGY = {name: reco_pb2.Strategy.Value(f"STRATEGY_{name.upper()}") for name in STRATEGIES}
_EVENT_TYPE = {name: reco_pb2.EventType.Value(f"EVENT_TYPE_{name.upper()}") for name in EVENT_TYPES}


def write_question(question: Question, request: reco_service_pb2.RecommendRequest) -> None:
    """Writes a question into an empty message. One that is made inside of another need not be copied into it.

    What is empty is left alone: writing it takes as long as what is not, and changes nothing.
    """
    request.strategy, request.limit = _STRATEGY[question.strategy], question.limit
    if question.placement:
        request.placement = question.placement
    if question.visitor_id:
        request.visitor_id = question.visitor_id
    if question.filter:
        request.filter = question.filter
    if question.explain:
        request.explain = True
    if question.exclude:
        request.exclude.extend(question.exclude)
    if question.include:
        request.include.extend(question.include)
    for step in question.session:
        added = request.session.add()
        added.product_id, added.type = step.product_id, _EVENT_TYPE[step.event]
        if step.at is not None:
            added.at.FromDatetime(step.at)
    if question.product_id or question.basket or question.category or question.query:
        context = request.context
        context.product_id, context.category, context.query = question.product_id, question.category, question.query
        context.basket.extend(question.basket)
    if question.diversity is not None:
        request.diversity = question.diversity
    if question.novelty is not None:
        request.novelty = question.novelty
    for boost in question.boosts:
        setattr(request.boosts.add(factor=boost.factor), boost.target, boost.value)


def recommendation_of(response: reco_service_pb2.RecommendResponse) -> Recommendation:
    """The answer in a message. A slice of a repeated field is a list, which is much quicker to go through."""
    return Recommendation(
        recommendation_id=response.recommendation_id,
        items=tuple(
            [
                _made(RankedItem, (i.product_id, i.position, i.score, i.source, tuple(i.reasons[:])))
                for i in response.items[:]
            ]
        ),
        unknown_ids=tuple(response.unknown_ids[:]),
        fallback_level=response.fallback_level,
        degraded=response.degraded,
        model_version=response.model_version,
        rules_version=response.rules_version,
        generated_at=response.generated_at.ToDatetime(UTC),
    )


_made = tuple.__new__  # what a named tuple does after it has put its arguments in order, which takes as long


def explanation_of(response: reco_service_pb2.ExplainRecommendationResponse) -> Explanation:
    """The explanation in a message."""
    opinions = tuple(SourceOpinion(o.source, o.score, o.rank) for o in response.opinions)
    return Explanation(response.position, opinions, response.removed_by, tuple(response.reasons))


def interaction_message(event: Interaction) -> reco_pb2.Interaction:
    """The message of an event."""
    message = reco_pb2.Interaction(
        event_id=event.event_id,
        type=_EVENT_TYPE[event.type],
        visitor_id=event.visitor_id,
        product_id=event.product_id,
        order_id=event.order_id,
        recommendation_id=event.recommendation_id,
        placement=event.placement,
        query=event.query,
        session_id=event.session_id,
        quantity=event.quantity,
        position=event.position,
    )
    if event.at is not None:
        message.at.CopyFrom(timestamp_of(event.at))
    if event.price is not None:
        message.price.CopyFrom(money_from_float(event.price, event.currency))
    return message


def verdict_of(message: reco_pb2.EventVerdict) -> EventVerdict:
    """The verdict in a message."""
    name = reco_pb2.Verdict.Name(message.verdict).removeprefix("VERDICT_").lower()
    return EventVerdict(message.event_id, name, message.reason)


def freshness_of(message: reco_pb2.FreshnessEntry) -> FreshnessEntry:
    """The age in a message."""
    as_of = message.as_of.ToDatetime(UTC) if message.HasField("as_of") else None
    return FreshnessEntry(message.name, as_of, message.age_s, message.note)


def timestamp_of(moment: datetime) -> Timestamp:
    """The message of an aware moment."""
    stamp = Timestamp()
    stamp.FromDatetime(moment)
    return stamp
