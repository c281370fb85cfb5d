"""Callers of the recommender over gRPC, for Locust: `make locust LOCUST_FILE=grpc LOCUST="--host 127.0.0.1:50052 …"`.

Each user asks `Recommend` for the popular products and then for one of them again and again.
"""

from __future__ import annotations

import random
import time
from typing import Any

import grpc
import grpc.experimental.gevent as grpc_gevent
from locust import User, between, task
from recomesh.reco.v1 import reco_pb2, reco_service_pb2, reco_service_pb2_grpc

grpc_gevent.init_gevent()
TIMEOUT_S = 5.0


class _Timed(grpc.UnaryUnaryClientInterceptor):
    """Tells Locust how each call went."""

    def __init__(self, environment: Any) -> None:
        self._environment = environment

    def intercept_unary_unary(self, continuation: Any, details: Any, request: Any) -> Any:
        began, error, size = time.perf_counter(), None, 0
        call = continuation(details, request)
        try:
            size = call.result().ByteSize()
        except grpc.RpcError as failed:
            error = failed
        self._environment.events.request.fire(
            request_type="grpc",
            name=details.method.rpartition("/")[2],
            response_time=(time.perf_counter() - began) * 1000,
            response_length=size,
            exception=error,
            context={},
        )
        return call


class Caller(User):
    """One client with a channel of its own."""

    wait_time = between(0.1, 0.5)

    def on_start(self) -> None:
        """Opens the channel and learns products."""
        options = [("grpc.use_local_subchannel_pool", 1)]
        self._channel = grpc.insecure_channel(self.host, options)
        timed = grpc.intercept_channel(self._channel, _Timed(self.environment))
        self._stub = reco_service_pb2_grpc.RecommendationServiceStub(timed)
        popular = self._ask(reco_service_pb2.RecommendRequest(strategy=reco_pb2.STRATEGY_POPULAR, limit=50))
        self._products = [item.product_id for item in popular.items]

    def on_stop(self) -> None:
        """Closes the channel."""
        self._channel.close()

    @task(3)
    def for_a_product(self) -> None:
        """The blend on a product page."""
        request = reco_service_pb2.RecommendRequest(limit=10)
        request.context.product_id = random.choice(self._products)
        self._ask(request)

    @task(1)
    def similar(self) -> None:
        """Item to item, within a band of price."""
        request = reco_service_pb2.RecommendRequest(strategy=reco_pb2.STRATEGY_SIMILAR, filter="price < 50", limit=10)
        request.context.product_id = random.choice(self._products)
        self._ask(request)

    def _ask(self, request: reco_service_pb2.RecommendRequest) -> reco_service_pb2.RecommendResponse:
        return self._stub.Recommend(request, timeout=TIMEOUT_S)
