"""Erasing what the recommender holds about a visitor, in memory too: that only its own process can do."""

from __future__ import annotations

from collections.abc import Mapping

import grpc
from recomesh.reco.v1 import reco_service_pb2, reco_service_pb2_grpc

from meshkit.rpc.client import call_sync


class GrpcVisitorEraser:
    """Calls reco.InteractionService. The channel is the caller's to close."""

    def __init__(self, channel: grpc.Channel) -> None:
        self._stub = reco_service_pb2_grpc.InteractionServiceStub(channel)

    def __call__(self, visitor_id: str) -> Mapping[str, int]:
        """Records erased, by what; Unavailable while the recommender is away. Safe to repeat."""
        request = reco_service_pb2.EraseVisitorRequest(visitor_id=visitor_id)
        return dict(call_sync(self._stub.EraseVisitor, request, part="reco").erased)
