"""Between protobuf messages and the domain, both ways. Limits of reco.proto are checked here, once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import cast

from google.protobuf.timestamp_pb2 import Timestamp
from google.type import money_pb2
from recomesh.reco.v1 import reco_pb2 as pb
from recomesh.reco.v1 import reco_service_pb2 as svc

from meshkit.errors import FieldViolation, InvalidArgument
from reco_svc.domain import model as m
from reco_svc.domain.limits import ID_RULE, is_id

MAX_LIMIT = 100
INCLUDABLE = frozenset({"out_of_stock", "purchased"})

_STRATEGY = {
    pb.STRATEGY_UNSPECIFIED: m.Strategy.AUTO,
    **{pb.Strategy.Value(f"STRATEGY_{s.name}"): s for s in m.Strategy},
}


class _Check:
    """Collects violations, so that a caller learns all of them at once."""

    def __init__(self) -> None:
        self.found: list[FieldViolation] = []

    def require(self, ok: bool, field: str, rule: str) -> None:
        if not ok:
            self.found.append(FieldViolation(field, rule))

    def id(self, value: str, field: str, *, empty_ok: bool = False) -> None:
        self.require((empty_ok and not value) or is_id(value), field, ID_RULE)

    def count(self, values: Sequence[object], most: int, field: str) -> None:
        if len(values) > most:
            self.require(False, field, f"at most {most:,} entries, not {len(values):,}")

    def length(self, value: str, most: int, field: str) -> None:
        if len(value) > most:
            self.require(False, field, f"at most {most:,} characters, not {len(value):,}")

    def done(self) -> None:
        if self.found:
            raise InvalidArgument(self.found)


TIME_RULE = "a time between the years 1970 and 9999"
_LAST_SECOND = 253_402_300_799


def is_time(stamp: Timestamp) -> bool:
    """True for a time that Python, SQL and JSON can all hold."""
    return 0 <= stamp.seconds <= _LAST_SECOND and 0 <= stamp.nanos < 1_000_000_000


def required_id(value: str, field: str) -> str:
    """The id, or InvalidArgument."""
    if not is_id(value):
        raise InvalidArgument.of(field, ID_RULE)
    return value


def query_from_proto(request: svc.RecommendRequest) -> m.RecommendQuery:
    """The question behind a request. InvalidArgument names every field over its limit."""
    check = _Check()
    strategy, limit, placement, filter_ = request.strategy, request.limit, request.placement, request.filter
    visitor_id, session, exclude, boosts = request.visitor_id, request.session, request.exclude, request.boosts
    check.require(strategy in _STRATEGY, "strategy", "a known strategy")
    check.require(0 <= limit <= MAX_LIMIT, "limit", f"1 to {MAX_LIMIT}, not {limit}")
    check.length(placement, 64, "placement")
    check.id(visitor_id, "visitor_id", empty_ok=True)
    check.length(filter_, 2_000, "filter")
    check.count(session, 100, "session")
    check.count(exclude, 1_000, "exclude")
    check.count(boosts, 50, "boosts")
    context = _context(request.context, check) if request.HasField("context") else _NOWHERE
    diversity = request.diversity if request.HasField("diversity") else None
    check.require(diversity is None or 0 <= diversity <= 1, "diversity", "0 to 1")
    novelty = request.novelty if request.HasField("novelty") else None
    check.require(novelty is None or 0 <= novelty <= 1, "novelty", "0 to 1")
    for index, word in enumerate(request.include):
        check.require(word in INCLUDABLE, f"include[{index}]", "one of " + ", ".join(sorted(INCLUDABLE)))
    steps = [_step(step, index, check) for index, step in enumerate(session)]
    for index, boost in enumerate(boosts):
        check.require(bool(boost.WhichOneof("target")), f"boosts[{index}]", "one target")
        check.require(0 < boost.factor <= 100, f"boosts[{index}].factor", "above 0, at most 100")
    check.done()
    return m.RecommendQuery(
        strategy=_STRATEGY[strategy],
        placement=placement,
        visitor_id=visitor_id,
        session=tuple(steps),
        context=context,
        filter=filter_,
        exclude=tuple(exclude),
        boosts=tuple(map(_boost, boosts)),
        limit=limit or 10,
        diversity=diversity,
        include=frozenset(request.include),
        explain=request.explain,
        novelty=novelty,
    )


_NOWHERE = m.Context()


def _context(context: pb.RecommendationContext, check: _Check) -> m.Context:
    check.count(context.basket, 100, "context.basket")
    check.length(context.query, 500, "context.query")
    check.length(context.category, 500, "context.category")
    check.id(context.product_id, "context.product_id", empty_ok=True)
    return m.Context(context.product_id, tuple(context.basket), context.category, context.query)


def query_to_proto(query: m.RecommendQuery) -> svc.RecommendRequest:
    """The request that asks this question (for Replay)."""
    request = svc.RecommendRequest(
        strategy=pb.Strategy.Value(f"STRATEGY_{query.strategy.name}"),
        placement=query.placement,
        visitor_id=query.visitor_id,
        filter=query.filter,
        exclude=query.exclude,
        limit=query.limit,
        include=sorted(query.include),
        explain=query.explain,
    )
    if query.diversity is not None:
        request.diversity = query.diversity
    if query.novelty is not None:
        request.novelty = query.novelty
    context = query.context
    if context != m.Context():
        request.context.product_id, request.context.category = context.product_id, context.category
        request.context.query = context.query
        request.context.basket.extend(context.basket)
    for step in query.session:
        at = None if step.at is None else timestamp(step.at)
        kind = cast("pb.EventType.ValueType", int(step.type))
        request.session.add(product_id=step.product_id, type=kind, at=at)
    for boost in query.boosts:
        added = request.boosts.add(factor=boost.factor)
        field = "product_id" if boost.target.kind is m.TargetKind.PRODUCT else boost.target.kind.value
        setattr(added, field, boost.target.value)
    return request


def write_recommendation(answer: m.Recommendation, response: svc.RecommendResponse) -> svc.RecommendResponse:
    """Writes the wire form of an answer into an empty response, and returns it.

    A message that is made inside of the one it belongs to is not copied into it; that is half of the cost.
    """
    response.recommendation_id = answer.recommendation_id
    add = response.items.add
    for item in answer.items:
        written = add()
        written.product_id, written.position, written.score = item.product_id, item.position, item.score
        written.source = item.source
        written.reasons.extend(item.reasons)
    response.unknown_ids.extend(answer.unknown_ids)
    response.fallback_level, response.degraded = answer.fallback_level, answer.degraded
    response.model_version, response.rules_version = answer.model_version, answer.rules_version
    response.generated_at.CopyFrom(_kept_timestamp(answer.generated_at))
    return response


def explanation_to_proto(explanation: m.Explanation) -> svc.ExplainRecommendationResponse:
    """The wire form of an explanation."""
    return svc.ExplainRecommendationResponse(
        position=explanation.position,
        opinions=[svc.SourceOpinion(source=o.source, score=o.score, rank=o.rank) for o in explanation.opinions],
        removed_by=explanation.removed_by,
        reasons=explanation.reasons,
    )


def model_to_proto(model: m.Model) -> pb.Model:
    """The wire form of a model."""
    return pb.Model(
        version=model.version,
        created_at=timestamp(model.created_at),
        active=model.active,
        facts=model.facts,
        quality=model.quality,
        embedder=model.embedder,
        parent=model.parent,
    )


def run_to_proto(run: m.TrainingRun) -> pb.TrainingRun:
    """The wire form of a training run."""
    return pb.TrainingRun(
        run_id=run.run_id,
        state=cast("pb.TrainingState.ValueType", int(run.state)),
        stage=run.stage,
        progress=run.progress,
        model_version=run.model_version,
        message=run.message,
        requested_at=timestamp(run.requested_at),
        finished_at=None if run.finished_at is None else timestamp(run.finished_at),
        facts=run.facts,
    )


def timestamp(at: datetime) -> Timestamp:
    """The wire form of a time."""
    stamp = Timestamp()
    stamp.FromDatetime(at)
    return stamp


@lru_cache(maxsize=4)  # all answers of a batch are of one moment; nobody changes the message
def _kept_timestamp(at: datetime) -> Timestamp:
    return timestamp(at)


def time_from_proto(stamp: Timestamp) -> datetime:
    """An aware time in UTC; `is_time` must hold."""
    return stamp.ToDatetime(tzinfo=UTC)


def money_from_proto(money: money_pb2.Money) -> tuple[float, str]:
    """Amount and currency."""
    return money.units + money.nanos / 1e9, money.currency_code


# By number on the wire; what names no event is a look at the product.
_STEP_TYPES = (m.EventType.VIEW_ITEM, *(m.EventType(number) for number in range(1, 9)))


def _step(step: pb.SessionStep, index: int, check: _Check) -> m.SessionStep:
    product_id, number, timed = step.product_id, step.type, step.HasField("at")
    if not (is_id(product_id) and 0 <= number < len(_STEP_TYPES) and (not timed or is_time(step.at))):
        check.id(product_id, f"session[{index}].product_id")
        check.require(0 <= number < len(_STEP_TYPES), f"session[{index}].type", "an event type about a product")
        check.require(is_time(step.at), f"session[{index}].at", TIME_RULE)
        return m.SessionStep(product_id)
    return m.SessionStep(product_id, _STEP_TYPES[number], time_from_proto(step.at) if timed else None)


def _boost(boost: pb.Boost) -> m.Boost:
    field = boost.WhichOneof("target") or ""
    kind = m.TargetKind.PRODUCT if field == "product_id" else m.TargetKind(field)
    return m.Boost(m.Target(kind, getattr(boost, field)), boost.factor)
