"""gRPC: recommendations.

Answers come from memory, so they are computed on the event loop itself; only the sessions of a batch are waited for.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from recomesh.reco.v1 import reco_pb2 as pb
from recomesh.reco.v1 import reco_service_pb2 as svc
from recomesh.reco.v1 import reco_service_pb2_grpc as rpc

from meshkit.errors import InvalidArgument, RecomeshError
from meshkit.rpc.status import to_status
from reco_svc.domain.model import Explanation, Recommendation, RecommendQuery
from reco_svc.domain.readiness import SourceReadiness
from reco_svc.service.freshness import FreshnessEntry
from reco_svc.transport import mapping

MAX_BATCH = 256


class RecommendationServicer(rpc.RecommendationServiceServicer):
    """See reco_service.proto."""

    def __init__(
        self,
        *,
        recommend: Callable[[Sequence[RecommendQuery]], Awaitable[Sequence[Recommendation | RecomeshError]]],
        explain: Callable[[str, str], Explanation],
        replay: Callable[[str], tuple[RecommendQuery, Recommendation]],
        freshness: Callable[[], Sequence[FreshnessEntry]],
        readiness: Callable[[], Sequence[SourceReadiness]],
    ) -> None:
        self._recommend = recommend
        self._explain = explain
        self._replay = replay
        self._freshness = freshness
        self._readiness = readiness

    async def Recommend(self, request: svc.RecommendRequest, context: Any) -> svc.RecommendResponse:
        """See reco_service.proto."""
        (result,) = await self._recommend([mapping.query_from_proto(request)])
        if isinstance(result, RecomeshError):
            raise result
        return mapping.write_recommendation(result, svc.RecommendResponse())

    async def BatchRecommend(self, request: svc.BatchRecommendRequest, context: Any) -> svc.BatchRecommendResponse:
        """See reco_service.proto."""
        if not 1 <= len(request.requests) <= MAX_BATCH:
            raise InvalidArgument.of("requests", f"1 to {MAX_BATCH}, not {len(request.requests):,}")
        read = [_query_or_error(r) for r in request.requests]
        answers = iter(await self._recommend([query for query in read if isinstance(query, RecommendQuery)]))
        response = svc.BatchRecommendResponse()
        for query in read:
            _write(next(answers) if isinstance(query, RecommendQuery) else query, response.results.add())
        return response

    async def ExplainRecommendation(
        self, request: svc.ExplainRecommendationRequest, context: Any
    ) -> svc.ExplainRecommendationResponse:
        """See reco_service.proto."""
        product_id = mapping.required_id(request.product_id, "product_id")
        return mapping.explanation_to_proto(self._explain(request.recommendation_id, product_id))

    async def ReplayRecommendation(
        self, request: svc.ReplayRecommendationRequest, context: Any
    ) -> svc.ReplayRecommendationResponse:
        """See reco_service.proto."""
        query, answer = self._replay(request.recommendation_id)
        response = svc.ReplayRecommendationResponse(request=mapping.query_to_proto(query))
        mapping.write_recommendation(answer, response.response)
        return response

    async def GetFreshness(self, request: svc.GetFreshnessRequest, context: Any) -> svc.GetFreshnessResponse:
        """See reco_service.proto."""
        return svc.GetFreshnessResponse(
            entries=[_freshness(e) for e in self._freshness()],
            sources=[_readiness(r) for r in self._readiness()],
        )


def _query_or_error(request: svc.RecommendRequest) -> RecommendQuery | RecomeshError:
    try:
        return mapping.query_from_proto(request)
    except RecomeshError as error:
        return error


def _write(result: Recommendation | RecomeshError, into: svc.BatchRecommendResult) -> None:
    if isinstance(result, RecomeshError):
        into.error.CopyFrom(to_status(result))
    else:
        mapping.write_recommendation(result, into.response)


def _readiness(found: SourceReadiness) -> pb.SourceReadiness:
    stand_in = "" if found.ready else found.stand_in
    return pb.SourceReadiness(source=found.source, has=found.has, needs=found.needs, unit=found.unit, stand_in=stand_in)


def _freshness(entry: FreshnessEntry) -> pb.FreshnessEntry:
    as_of = None if entry.as_of is None else mapping.timestamp(entry.as_of)
    return pb.FreshnessEntry(name=entry.name, as_of=as_of, age_s=entry.age_s, note=entry.note)
