"""The change feeds that the recommender follows, over gRPC: products and stated preferences."""

from __future__ import annotations

from dataclasses import dataclass

import grpc.aio
from recomesh.catalog.v1 import catalog_service_pb2, catalog_service_pb2_grpc
from recomesh.profile.v1 import profile_service_pb2, profile_service_pb2_grpc

from meshkit.feed import FeedPage
from meshkit.rpc.client import call
from reco_svc.adapters import grpc_mapping
from reco_svc.domain.model import Preferences, ProductChange

PAGE_SIZE = 5_000


@dataclass(frozen=True, slots=True)
class PreferenceChange:
    """`preferences` is None when the visitor was erased."""

    visitor_id: str
    preferences: Preferences | None


class GrpcCatalogFeed:
    """`CatalogService.ListChanges` as a feed."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._stub = catalog_service_pb2_grpc.CatalogServiceStub(channel)

    async def fetch(self, after_revision: int) -> FeedPage[ProductChange]:
        """See meshkit.feed."""
        request = catalog_service_pb2.ListChangesRequest(after_revision=after_revision, page_size=PAGE_SIZE)
        page = await call(self._stub.ListChanges, request, part="catalog")
        changes = [grpc_mapping.product_change(c) for c in page.changes]
        return FeedPage(changes, page.next_revision, page.has_more)


class GrpcPreferenceFeed:
    """`ProfileService.ListPreferenceChanges` as a feed."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._stub = profile_service_pb2_grpc.ProfileServiceStub(channel)

    async def fetch(self, after_revision: int) -> FeedPage[PreferenceChange]:
        """See meshkit.feed."""
        request = profile_service_pb2.ListPreferenceChangesRequest(after_revision=after_revision, page_size=PAGE_SIZE)
        page = await call(self._stub.ListPreferenceChanges, request, part="profile")
        changes = [
            PreferenceChange(
                c.visitor_id, grpc_mapping.preferences(c.preferences) if c.HasField("preferences") else None
            )
            for c in page.changes
        ]
        return FeedPage(changes, page.next_revision, page.has_more)
