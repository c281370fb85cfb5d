"""gRPC: recomesh.profile.v1.ProfileService."""

from __future__ import annotations

from typing import Any

from recomesh.profile.v1 import profile_service_pb2 as pb
from recomesh.profile.v1 import profile_service_pb2_grpc

from meshkit.process import blocking
from profile_svc.service.use_cases import UseCases
from profile_svc.transport.mapping import (
    change_to_proto,
    preferences_from_proto,
    preferences_to_proto,
    receipt_to_proto,
    segment_to_proto,
)

SERVICE_NAME = pb.DESCRIPTOR.services_by_name["ProfileService"].full_name


class ProfileServicer(profile_service_pb2_grpc.ProfileServiceServicer):
    """Every rpc is a blocking use case in a thread."""

    def __init__(self, use_cases: UseCases) -> None:
        self._do = use_cases

    async def GetPreferences(self, request: pb.GetPreferencesRequest, context: Any) -> pb.GetPreferencesResponse:
        """See proto."""
        return await blocking(self._get, request)

    async def UpdatePreferences(
        self, request: pb.UpdatePreferencesRequest, context: Any
    ) -> pb.UpdatePreferencesResponse:
        """See proto."""
        return await blocking(self._update, request)

    async def EraseProfile(self, request: pb.EraseProfileRequest, context: Any) -> pb.EraseProfileResponse:
        """See proto."""
        receipt = await blocking(self._do.erase, request.visitor_id)
        return pb.EraseProfileResponse(receipt=receipt_to_proto(receipt))

    async def ListSegments(self, request: pb.ListSegmentsRequest, context: Any) -> pb.ListSegmentsResponse:
        """See proto."""
        return await blocking(self._segments, request)

    async def ListPreferenceChanges(
        self, request: pb.ListPreferenceChangesRequest, context: Any
    ) -> pb.ListPreferenceChangesResponse:
        """See proto."""
        return await blocking(self._changes, request)

    def _get(self, request: pb.GetPreferencesRequest) -> pb.GetPreferencesResponse:
        found = self._do.read(request.visitor_id)
        return pb.GetPreferencesResponse(preferences=preferences_to_proto(found, self._do.segments.names_of(found)))

    def _update(self, request: pb.UpdatePreferencesRequest) -> pb.UpdatePreferencesResponse:
        given = preferences_from_proto(request.preferences)
        made = self._do.update(given, request.update_mask.paths)
        return pb.UpdatePreferencesResponse(preferences=preferences_to_proto(made, self._do.segments.names_of(made)))

    def _segments(self, request: pb.ListSegmentsRequest) -> pb.ListSegmentsResponse:
        if request.visitor_id:
            counted = self._do.segments.of_visitor(self._do.read(request.visitor_id))
        else:
            counted = self._do.segments.count()
        return pb.ListSegmentsResponse(segments=[segment_to_proto(c) for c in counted])

    def _changes(self, request: pb.ListPreferenceChangesRequest) -> pb.ListPreferenceChangesResponse:
        page = self._do.changes(request.after_revision, request.page_size)
        names_of = self._do.segments.names_of
        return pb.ListPreferenceChangesResponse(
            changes=[change_to_proto(c, names_of(c.preferences) if c.preferences else ()) for c in page.changes],
            next_revision=page.next_revision,
            has_more=page.has_more,
        )
