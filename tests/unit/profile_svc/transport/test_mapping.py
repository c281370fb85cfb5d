from datetime import UTC, datetime

from google.type.money_pb2 import Money
from recomesh.profile.v1 import profile_pb2

from profile_svc.domain.model import ErasedPart, ErasureReceipt, ErasureState, PreferenceChange, Preferences, Price
from profile_svc.transport.mapping import (
    change_to_proto,
    preferences_from_proto,
    preferences_to_proto,
    receipt_to_proto,
)

FULL = Preferences(
    "v1",
    categories=("Home > Kitchen",),
    brands=("Acme",),
    excluded_categories=("Toys",),
    price_min=Price(0.0, "EUR"),
    price_max=Price(19.99, "EUR"),
    opted_out=True,
    updated_at=datetime(2026, 3, 1, 12, 0, 0, 250_000, tzinfo=UTC),
    revision=7,
)


def test_preferences_survive_the_way_to_protobuf_and_back_but_for_what_is_output_only():
    proto = preferences_to_proto(FULL, ["fans"])
    assert list(proto.segments) == ["fans"]
    assert proto.updated_at.ToDatetime(UTC) == FULL.updated_at
    back = preferences_from_proto(proto)
    assert back.updated_at is None
    assert (back.price_min, back.price_max, back.revision) == (FULL.price_min, FULL.price_max, 7)
    assert preferences_to_proto(back, ["fans"]).categories == proto.categories


def test_an_absent_price_is_no_bound():
    proto = preferences_to_proto(Preferences("v1"), ())
    assert not proto.HasField("price_min")
    assert not proto.HasField("updated_at")
    assert preferences_from_proto(profile_pb2.Preferences(visitor_id="v1")).price_max is None


def test_a_money_without_currency_is_kept_for_the_rules_to_refuse():
    proto = profile_pb2.Preferences(visitor_id="v1", price_min=Money(units=-3))
    assert preferences_from_proto(proto).price_min == Price(-3.0, "")


def test_an_erased_visitor_is_a_change_without_preferences():
    assert not change_to_proto(PreferenceChange(3, "v1", None), ()).HasField("preferences")


def test_a_receipt_carries_all_its_parts():
    receipt = ErasureReceipt("r1", FULL.updated_at, (ErasedPart("reco", "session", 0, ErasureState.PENDING),))
    proto = receipt_to_proto(receipt)
    assert proto.parts[0].state == profile_pb2.ERASURE_STATE_PENDING
