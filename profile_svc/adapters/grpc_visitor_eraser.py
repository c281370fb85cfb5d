"""Erasing what the recommender holds about a visitor."""

from __future__ import annotations

from collections.abc import Mapping

import grpc
from recomesh.reco.v1 import reco_service_pb2, reco_service_pb2_grpc

from meshkit import context
from meshkit.errors import DeadlineExceeded
from meshkit.rpc.client import call_sync


class GrpcVisitorEraser:
    """VisitorEraser over reco.InteractionService. It leaves the caller half of the time that is left, at most
    `timeout_s` seconds, so that a hung recommender still allows a queued order and an answer."""

    store = "reco"

    def __init__(self, channel: grpc.Channel, *, timeout_s: float = 1.0) -> None:
        self._stub = reco_service_pb2_grpc.InteractionServiceStub(channel)
        self._timeout_s = timeout_s

    def erase(self, visitor_id: str) -> Mapping[str, int]:
        """See port."""
        left = context.time_left_s()
        timeout_s = self._timeout_s if left is None else min(self._timeout_s, left / 2)
        if timeout_s <= 0:
            raise DeadlineExceeded("no time left to ask reco")
        request = reco_service_pb2.EraseVisitorRequest(visitor_id=visitor_id)
        answer = call_sync(self._stub.EraseVisitor, request, part=self.store, timeout_s=timeout_s)
        return dict(answer.erased)
