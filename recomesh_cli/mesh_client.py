"""The mesh as the commands see it: blocking gRPC stubs on the targets of the settings."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from recomesh.catalog.v1 import catalog_service_pb2_grpc
from recomesh.profile.v1 import profile_service_pb2_grpc
from recomesh.reco.v1 import reco_service_pb2_grpc

from meshkit import context
from meshkit.rpc.client import call_sync, open_sync_channel
from meshkit.rpc.identity import mesh_identity
from meshkit.settings import MeshSettings

PATIENCE_S = 10.0  # a person waits longer than a shop's page does


@dataclass(frozen=True, slots=True)
class MeshClient:
    """Stubs of the public services."""

    catalog: catalog_service_pb2_grpc.CatalogServiceStub
    recommendations: reco_service_pb2_grpc.RecommendationServiceStub
    interactions: reco_service_pb2_grpc.InteractionServiceStub
    models: reco_service_pb2_grpc.ModelServiceStub
    profiles: profile_service_pb2_grpc.ProfileServiceStub


@contextmanager
def open_mesh(settings: MeshSettings) -> Iterator[MeshClient]:
    """Channels to the services, open while the context is; they connect when first used."""
    context.bind(None)
    identity = mesh_identity(settings, "operator")
    targets = [settings.target("catalog"), settings.target("reco"), settings.target("profile")]
    channels = [open_sync_channel(target, settings.service_config, identity) for target in targets]
    catalog, reco, profile = channels
    try:
        yield MeshClient(
            catalog_service_pb2_grpc.CatalogServiceStub(catalog),
            reco_service_pb2_grpc.RecommendationServiceStub(reco),
            reco_service_pb2_grpc.InteractionServiceStub(reco),
            reco_service_pb2_grpc.ModelServiceStub(reco),
            profile_service_pb2_grpc.ProfileServiceStub(profile),
        )
    finally:
        for channel in channels:
            channel.close()


def ask(method: Any, request: Any, part: str, timeout_s: float = PATIENCE_S) -> Any:
    """One call; raises an error of the tree."""
    return call_sync(method, request, part=part, timeout_s=timeout_s)
