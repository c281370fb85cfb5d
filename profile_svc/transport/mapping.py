"""Between protobuf and the domain."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from google.protobuf.timestamp_pb2 import Timestamp
from google.type.money_pb2 import Money
from recomesh.profile.v1 import profile_pb2

from meshkit.product_card import money_from_float, money_to_float
from profile_svc.domain.model import ErasureReceipt, ErasureState, PreferenceChange, Preferences, Price
from profile_svc.service.segments import CountedSegment

_STATES = {
    ErasureState.ERASED: profile_pb2.ERASURE_STATE_ERASED,
    ErasureState.PENDING: profile_pb2.ERASURE_STATE_PENDING,
}


def preferences_to_proto(p: Preferences, segments: Sequence[str]) -> profile_pb2.Preferences:
    """With the output-only fields."""
    return profile_pb2.Preferences(
        visitor_id=p.visitor_id,
        categories=p.categories,
        brands=p.brands,
        excluded_categories=p.excluded_categories,
        price_min=_money(p.price_min),
        price_max=_money(p.price_max),
        opted_out=p.opted_out,
        segments=segments,
        updated_at=_timestamp(p.updated_at),
        revision=p.revision,
    )


def preferences_from_proto(p: profile_pb2.Preferences) -> Preferences:
    """Output-only fields are ignored, but for `revision`."""
    return Preferences(
        visitor_id=p.visitor_id,
        categories=tuple(p.categories),
        brands=tuple(p.brands),
        excluded_categories=tuple(p.excluded_categories),
        price_min=_price(p.price_min) if p.HasField("price_min") else None,
        price_max=_price(p.price_max) if p.HasField("price_max") else None,
        opted_out=p.opted_out,
        revision=p.revision,
    )


def change_to_proto(change: PreferenceChange, segments: Sequence[str]) -> profile_pb2.PreferenceChange:
    """One feed entry."""
    present = change.preferences
    return profile_pb2.PreferenceChange(
        revision=change.revision,
        visitor_id=change.visitor_id,
        preferences=None if present is None else preferences_to_proto(present, segments),
    )


def segment_to_proto(counted: CountedSegment) -> profile_pb2.Segment:
    """With its count."""
    segment = counted.segment
    return profile_pb2.Segment(
        name=segment.name, title=segment.title, filter=segment.filter, visitor_count=counted.visitor_count
    )


def receipt_to_proto(receipt: ErasureReceipt) -> profile_pb2.ErasureReceipt:
    """With all its parts."""
    return profile_pb2.ErasureReceipt(
        receipt_id=receipt.receipt_id,
        requested_at=_timestamp(receipt.requested_at),
        parts=[
            profile_pb2.ErasedPart(store=p.store, what=p.what, count=p.count, state=_STATES[p.state])
            for p in receipt.parts
        ],
    )


def _money(price: Price | None) -> Money | None:
    return None if price is None else money_from_float(price.amount, price.currency)


def _price(money: Money) -> Price:
    return Price(money_to_float(money), money.currency_code)


def _timestamp(moment: datetime | None) -> Timestamp | None:
    if moment is None:
        return None
    stamp = Timestamp()
    stamp.FromDatetime(moment)
    return stamp
