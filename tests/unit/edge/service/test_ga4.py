"""Reading GA4 payloads."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.domain.events import EventVerdict
from edge.service.ga4 import TYPES, events_of, is_ga4

ITEM = {"item_id": "p1", "index": 0, "price": 9.5, "quantity": 2, "item_list_id": "home"}
MP = {"client_id": "c.1", "timestamp_micros": 1_769_846_400_000_000}


def read(event: dict[str, object], envelope: dict[str, object] | None = None, seed: str = "s") -> list[object]:
    return list(events_of(event, MP if envelope is None else envelope, seed))


@pytest.mark.parametrize("name", [name for name, kind in TYPES.items() if kind != "search"])
def test_each_e_commerce_event_has_a_type(name: str) -> None:
    (event,) = read({"name": name, "params": {"items": [ITEM], "currency": "EUR"}})
    assert isinstance(event, dict)
    assert event["type"] == TYPES[name]
    assert (event["product_id"], event["visitor_id"], event["position"], event["placement"]) == ("p1", "c.1", 1, "home")
    assert (event["price"], event["currency"], event["quantity"]) == (9.5, "EUR", 2)
    assert event["at"] == datetime(2026, 1, 31, 8, tzinfo=UTC)


def test_a_search_needs_no_item() -> None:
    (event,) = read({"name": "search", "params": {"search_term": "knife"}})
    assert isinstance(event, dict)
    assert (event["type"], event["query"], event.get("product_id")) == ("search", "knife", None)


def test_a_row_of_the_export_is_read() -> None:
    row = {
        "event_name": "purchase",
        "event_timestamp": "1769846400000000",
        "user_pseudo_id": "u1",
        "ecommerce": {"transaction_id": "T9"},
        "items": [{"item_id": "p1", "item_list_index": "3"}],
    }
    (event,) = read(row, {})
    assert isinstance(event, dict)
    assert (event["visitor_id"], event["order_id"], event["position"]) == ("u1", "T9", 4)


def test_ids_repeat_with_the_payload_and_differ_between_items() -> None:
    event = {"name": "purchase", "params": {"transaction_id": "T", "items": [ITEM, {"item_id": "p2"}]}}
    first, again = read(event, seed="1"), read(event, seed="2")
    ids = [one["event_id"] for one in first if isinstance(one, dict)]
    assert ids == [one["event_id"] for one in again if isinstance(one, dict)]
    assert len(set(ids)) == 2


def test_without_a_time_the_seed_keeps_requests_apart() -> None:
    event = {"name": "view_item", "params": {"items": [ITEM]}}
    envelope: dict[str, object] = {"client_id": "c"}
    (one,), (two,), (again,) = (read(event, envelope, seed) for seed in ("1", "2", "1"))
    assert isinstance(one, dict)
    assert isinstance(two, dict)
    assert one["event_id"] != two["event_id"]
    assert one == again


@pytest.mark.parametrize(
    "event", [{"name": "page_view"}, {"name": "purchase", "params": {}}, {"name": "purchase", "items": [5]}]
)
def test_what_is_no_product_event_is_told_so(event: dict[str, object]) -> None:
    (verdict,) = read(event)
    assert isinstance(verdict, EventVerdict)
    assert verdict.verdict == "invalid"
    assert verdict.reason


def test_endless_digits_are_no_number() -> None:
    envelope: dict[str, object] = {"client_id": "c", "timestamp_micros": "0" * 5000}
    (event,) = read({"name": "view_item", "items": [{"item_id": "p", "index": "1" * 5000}]}, envelope)
    assert isinstance(event, dict)
    assert "at" not in event
    assert event["position"] == "1" * 5000  # refused with its reason when the event is checked


def test_an_event_of_the_mesh_is_not_ga4() -> None:
    assert not is_ga4({"type": "view_item", "event_id": "e"})
    assert is_ga4({"name": "view_item", "params": {}})


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
keys = st.sampled_from(["name", "params", "items", "item_id", "index", "timestamp_micros", "client_id", "ecommerce"])


@given(st.dictionaries(keys, json_values | st.dictionaries(keys, json_values, max_size=4), max_size=5))
def test_no_payload_breaks_the_reading(event: dict[str, object]) -> None:
    for mark in ("purchase", "search"):
        for found in events_of({**event, "name": mark}, event, "seed"):
            assert isinstance(found, EventVerdict | dict)
