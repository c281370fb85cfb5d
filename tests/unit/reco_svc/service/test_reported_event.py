"""What is checked of a reported event."""

import math
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reco_svc.domain.model import EventType, Interaction
from reco_svc.service.reported_event import ReportedEvent, interaction_of, wrong_field
from tests.support.reco_stores import NOON

NOON_US = int(NOON.timestamp()) * 1_000_000
GOOD = ReportedEvent("e1", 1, "v1", "p1")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"event_id": ""}, "event_id"),
        ({"event_id": "é" * 65}, "event_id"),
        ({"event_id": "a\nb"}, "event_id"),
        ({"type": 0}, "type"),
        ({"type": 10}, "type"),
        ({"type": -1}, "type"),
        ({"visitor_id": ""}, "visitor_id"),
        ({"visitor_id": "x" * 129}, "visitor_id"),
        ({"product_id": ""}, "product_id"),
        ({"product_id": "\x7f"}, "product_id"),
        ({"type": 9}, "product_id"),
        ({"type": 9, "product_id": "", "query": "  "}, "query"),
        ({"at_us": -1}, "at"),
        ({"at_us": 10**30}, "at"),
        ({"at_us": NOON_US + 300_000_001}, "at"),
        ({"quantity": 0}, "quantity"),
        ({"quantity": 1_000_001}, "quantity"),
        ({"quantity": -3}, "quantity"),
        ({"position": 0}, "position"),
        ({"position": 2_000_000_000}, "position"),
        ({"price": -0.01, "currency": "EUR"}, "price"),
        ({"price": math.nan, "currency": "EUR"}, "price"),
        ({"price": math.inf, "currency": "EUR"}, "price"),
        ({"price": 1.0}, "price.currency_code"),
        ({"price": 1.0, "currency": "eur"}, "price.currency_code"),
        ({"price": 1.0, "currency": "EUR\n"}, "price.currency_code"),
        ({"currency": "EUR"}, "currency"),
        ({"order_id": "o" * 129}, "order_id"),
        ({"recommendation_id": "\x00"}, "recommendation_id"),
        ({"session_id": "s" * 129}, "session_id"),
        ({"placement": "p" * 65}, "placement"),
        ({"placement": "a\x00"}, "placement"),
        ({"query": "q" * 501}, "query"),
        ({"query": "a\x00"}, "query"),
    ],
)
def test_a_field_over_its_limit_is_named(change: dict[str, object], field: str) -> None:
    said = wrong_field(replace(GOOD, **change), NOON)  # type: ignore[arg-type]

    assert said.startswith(f"{field}: ")


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"event_id": "é" * 64},
        {"at_us": 0},
        {"at_us": NOON_US + 300_000_000},
        {"quantity": 1_000_000},
        {"price": 0.0, "currency": "JPY"},
        {"type": 9, "product_id": "", "query": "mug"},
        {"type": 8, "position": 1, "placement": "é" * 64},
        {"query": "💥" * 500},
    ],
)
def test_what_is_within_the_limits_is_taken(change: dict[str, object]) -> None:
    assert wrong_field(replace(GOOD, **change), NOON) == ""  # type: ignore[arg-type]


def test_what_is_absent_takes_its_default() -> None:
    assert interaction_of(GOOD, NOON) == Interaction("e1", EventType.VIEW_ITEM, "v1", "p1", NOON)


def test_a_clock_that_is_ahead_is_set_back_to_now() -> None:
    ahead = replace(GOOD, at_us=NOON_US + 60_000_000)

    assert interaction_of(ahead, NOON).at == NOON


@given(at_us=st.integers(0, NOON_US))
def test_times_are_kept_to_the_microsecond(at_us: int) -> None:
    at = interaction_of(replace(GOOD, at_us=at_us), NOON).at

    assert (NOON - at) // timedelta(microseconds=1) == NOON_US - at_us


@given(
    st.builds(
        ReportedEvent,
        event_id=st.text(max_size=200),
        type=st.integers(-(2**31), 2**31),
        visitor_id=st.text(max_size=200),
        product_id=st.text(max_size=200),
        at_us=st.none() | st.integers(),
        quantity=st.none() | st.integers(),
        price=st.none() | st.floats(),
        currency=st.text(max_size=4),
        position=st.none() | st.integers(),
        query=st.text(max_size=20),
    ).filter(lambda e: not any(0xD800 <= ord(c) <= 0xDFFF for t in (e.event_id, e.visitor_id, e.product_id) for c in t))
)
def test_any_event_is_either_refused_with_a_reason_or_becomes_an_interaction(event: ReportedEvent) -> None:
    if not wrong_field(event, NOON):
        assert interaction_of(event, NOON).event_id == event.event_id
