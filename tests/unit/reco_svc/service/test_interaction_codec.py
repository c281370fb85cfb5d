"""Interactions as JSON, there and back."""

import json
from datetime import UTC, datetime

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshkit.errors import FailedPrecondition
from reco_svc.domain.model import EventType, Interaction
from reco_svc.service.interaction_codec import from_dict, to_dict
from tests.support.reco_stores import interaction

TEXT = st.text(st.characters(codec="utf-8"), max_size=20)
INTERACTIONS = st.builds(
    Interaction,
    event_id=TEXT,
    type=st.sampled_from(EventType),
    visitor_id=TEXT,
    product_id=TEXT,
    at=st.datetimes(datetime(1970, 1, 1), timezones=st.just(UTC)),
    quantity=st.integers(1, 1_000_000),
    price=st.none() | st.floats(0, 1e12),
    currency=st.sampled_from(["", "EUR"]),
    order_id=TEXT,
    recommendation_id=TEXT,
    position=st.none() | st.integers(1, 1_000_000),
    placement=TEXT,
    query=TEXT,
    session_id=TEXT,
)


@given(INTERACTIONS)
def test_an_interaction_survives_the_queue(before: Interaction) -> None:
    assert from_dict(orjson.loads(orjson.dumps(to_dict(before)))) == before


def test_fields_that_hold_their_default_are_left_out() -> None:
    assert to_dict(interaction("e1")) == {
        "event_id": "e1",
        "type": "view_item",
        "visitor_id": "v1",
        "product_id": "p1",
        "at": "2026-05-01T12:00:00+00:00",
    }


GOOD = to_dict(interaction("e1"))


@pytest.mark.parametrize(
    "body",
    [
        None,
        [],
        {},
        {**GOOD, "type": "danced"},
        {**GOOD, "at": "yesterday"},
        {**GOOD, "at": "2026-05-01T12:00:00"},
        {**GOOD, "at": 7},
        {**GOOD, "event_id": None},
        {**GOOD, "quantity": "many"},
        {**GOOD, "price": {}},
        {**GOOD, "query": 5},
        {k: v for k, v in GOOD.items() if k != "visitor_id"},
    ],
)
def test_what_can_not_be_read_is_a_bad_message(body: object) -> None:
    with pytest.raises(FailedPrecondition) as error:
        from_dict(json.loads(json.dumps(body)))

    assert error.value.reason == "BAD_MESSAGE"
