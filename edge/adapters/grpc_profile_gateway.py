"""Preferences of visitors over gRPC."""

from __future__ import annotations

from datetime import UTC

import grpc.aio
from google.protobuf.field_mask_pb2 import FieldMask
from recomesh.profile.v1 import profile_pb2
from recomesh.profile.v1 import profile_service_pb2 as messages
from recomesh.profile.v1 import profile_service_pb2_grpc as stubs

from edge.adapters.guarded_method import Upstream
from edge.domain.profile import ErasedPart, ErasureReceipt, Preferences, PreferencesChange
from meshkit.product_card import money_from_float, money_to_float

PART = "profile"
_LISTS = ("categories", "brands", "excluded_categories")
_PRICES = ("price_min", "price_max")


class GrpcProfileGateway:
    """The `ProfileGateway` port."""

    def __init__(self, upstream: Upstream, *, timeout_s: float) -> None:
        method = upstream.method
        self._get = method("GetPreferences", lambda c: _stub(c).GetPreferences, timeout_s=timeout_s)
        self._update = method(
            "UpdatePreferences", lambda c: _stub(c).UpdatePreferences, timeout_s=timeout_s, read=False
        )
        self._erase = method("EraseProfile", lambda c: _stub(c).EraseProfile, timeout_s=timeout_s, read=False)

    async def preferences(self, visitor_id: str) -> Preferences:
        """See the port."""
        request = messages.GetPreferencesRequest(visitor_id=visitor_id)
        response = await self._get(request)
        return _preferences(visitor_id, response.preferences)

    async def update(self, change: PreferencesChange) -> Preferences:
        """See the port."""
        values = change.values
        wanted = profile_pb2.Preferences(visitor_id=values.visitor_id, opted_out=values.opted_out)
        for name in _LISTS:
            getattr(wanted, name).extend(getattr(values, name))
        for name in _PRICES:
            if (amount := getattr(values, name)) is not None:
                getattr(wanted, name).CopyFrom(money_from_float(amount, values.currency))
        request = messages.UpdatePreferencesRequest(
            preferences=wanted, update_mask=FieldMask(paths=sorted(change.changed))
        )
        response = await self._update(request)
        return _preferences(values.visitor_id, response.preferences)

    async def erase(self, visitor_id: str) -> ErasureReceipt:
        """See the port."""
        request = messages.EraseProfileRequest(visitor_id=visitor_id)
        response = await self._erase(request)
        receipt = response.receipt
        return ErasureReceipt(
            receipt_id=receipt.receipt_id,
            requested_at=receipt.requested_at.ToDatetime(UTC),
            parts=tuple(ErasedPart(p.store, p.what, p.count, _state(p.state)) for p in receipt.parts),
        )


def _stub(channel: grpc.aio.Channel) -> stubs.ProfileServiceAsyncStub:
    stub: stubs.ProfileServiceAsyncStub = stubs.ProfileServiceStub(channel)
    return stub


def _preferences(visitor_id: str, message: profile_pb2.Preferences) -> Preferences:
    low = message.price_min if message.HasField("price_min") else None
    high = message.price_max if message.HasField("price_max") else None
    bound = low if low is not None else high
    return Preferences(
        visitor_id=visitor_id,
        categories=tuple(message.categories),
        brands=tuple(message.brands),
        excluded_categories=tuple(message.excluded_categories),
        price_min=None if low is None else money_to_float(low),
        price_max=None if high is None else money_to_float(high),
        currency="" if bound is None else bound.currency_code,
        opted_out=message.opted_out,
        segments=tuple(message.segments),
        updated_at=message.updated_at.ToDatetime(UTC) if message.HasField("updated_at") else None,
    )


def _state(state: profile_pb2.ErasureState.ValueType) -> str:
    return profile_pb2.ErasureState.Name(state).removeprefix("ERASURE_STATE_").lower()
