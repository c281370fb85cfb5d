"""The recommender over gRPC: questions and events that wait together share a call."""

from __future__ import annotations

from collections.abc import Sequence

import grpc.aio
from recomesh.reco.v1 import reco_service_pb2 as messages
from recomesh.reco.v1 import reco_service_pb2_grpc as stubs

from edge.adapters import reco_mapping as mapping
from edge.adapters.call_pace import CallPace
from edge.adapters.guarded_method import Upstream
from edge.adapters.micro_batcher import MicroBatcher
from edge.domain.events import EventVerdict, Interaction
from edge.domain.listing import FreshnessEntry
from edge.domain.recommendation import Explanation, Question, Recommendation
from meshkit.errors import RecomeshError
from meshkit.rpc.status import from_status

PART = "reco"
APART_S = 0.005  # between two calls with questions, where many come


class GrpcRecoGateway:
    """The `RecoGateway` port. `recommend_timeout_s` leaves a shopper's request time for the fallback."""

    def __init__(self, upstream: Upstream, *, recommend_timeout_s: float, events_timeout_s: float) -> None:
        self._recommend = upstream.method(
            "BatchRecommend",
            lambda channel: _recommendations(channel).BatchRecommend,
            timeout_s=recommend_timeout_s,
        )
        self._freshness = upstream.method(
            "GetFreshness", lambda channel: _recommendations(channel).GetFreshness, timeout_s=recommend_timeout_s
        )
        self._replay = upstream.method(
            "ReplayRecommendation",
            lambda channel: _recommendations(channel).ReplayRecommendation,
            timeout_s=recommend_timeout_s,
            remembered=True,
        )
        self._explain = upstream.method(
            "ExplainRecommendation",
            lambda channel: _recommendations(channel).ExplainRecommendation,
            timeout_s=recommend_timeout_s,
            remembered=True,
        )
        self._record = upstream.method(
            "RecordInteractions",
            lambda channel: _interactions(channel).RecordInteractions,
            timeout_s=events_timeout_s,
            read=False,
        )
        self._questions = MicroBatcher[Question, Recommendation](
            PART, self._ask, pace=CallPace(APART_S), patience_s=recommend_timeout_s
        )
        self._events = MicroBatcher[Sequence[Interaction], Sequence[EventVerdict]](PART, self._tell, size=len)

    async def recommend(self, question: Question) -> Recommendation:
        """See the port."""
        return await self._questions.submit(question)

    async def replay(self, recommendation_id: str) -> Recommendation:
        """See the port."""
        request = messages.ReplayRecommendationRequest(recommendation_id=recommendation_id)
        response = await self._replay(request)
        return mapping.recommendation_of(response.response)

    async def explain(self, recommendation_id: str, product_id: str) -> Explanation:
        """See the port."""
        request = messages.ExplainRecommendationRequest(recommendation_id=recommendation_id, product_id=product_id)
        response = await self._explain(request)
        return mapping.explanation_of(response)

    async def record(self, interactions: Sequence[Interaction]) -> Sequence[EventVerdict]:
        """See the port."""
        return await self._events.submit(interactions) if interactions else ()

    async def freshness(self) -> Sequence[FreshnessEntry]:
        """See the port."""
        response = await self._freshness(messages.GetFreshnessRequest())
        return [mapping.freshness_of(entry) for entry in response.entries]

    async def _ask(self, questions: Sequence[Question]) -> Sequence[Recommendation | RecomeshError]:
        request = messages.BatchRecommendRequest()
        for question in questions:
            mapping.write_question(question, request.requests.add())
        response = await self._recommend(request)
        return [
            mapping.recommendation_of(result.response)
            if result.HasField("response")
            else from_status(result.error, part=PART)
            for result in response.results
        ]

    async def _tell(self, batches: Sequence[Sequence[Interaction]]) -> Sequence[Sequence[EventVerdict]]:
        request = messages.RecordInteractionsRequest(
            interactions=[mapping.interaction_message(event) for batch in batches for event in batch]
        )
        response = await self._record(request)
        verdicts = iter([mapping.verdict_of(verdict) for verdict in response.verdicts])
        return [[next(verdicts) for _ in batch] for batch in batches]


def _recommendations(channel: grpc.aio.Channel) -> stubs.RecommendationServiceAsyncStub:
    stub: stubs.RecommendationServiceAsyncStub = stubs.RecommendationServiceStub(channel)
    return stub


def _interactions(channel: grpc.aio.Channel) -> stubs.InteractionServiceAsyncStub:
    stub: stubs.InteractionServiceAsyncStub = stubs.InteractionServiceStub(channel)
    return stub
