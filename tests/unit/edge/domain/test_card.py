"""Which products a shopper may see."""

import json
from datetime import UTC, datetime

import pytest

from edge.domain.card import Card


@pytest.mark.parametrize(
    ("card", "visible", "recommendable", "with_sold_out"),
    [
        (Card("a", 1, b"{}"), True, True, True),
        (Card("a", 1, b"{}", sold_out=True), True, False, True),
        (Card("a", 1, b"{}", hidden=True), False, False, False),
        (Card("a", 1, b"{}", expires_s=100.0), False, False, False),
        (Card("a", 1, b"{}", expires_s=100.5), True, True, True),
        (Card.of_gone("a"), False, False, False),
    ],
)
def test_who_may_be_shown(card: Card, visible: bool, recommendable: bool, with_sold_out: bool) -> None:
    assert card.visible(100.0) is visible
    assert card.recommendable(100.0) is recommendable
    assert card.recommendable(100.0, sold_out_too=True) is with_sold_out


def test_filters_see_the_price_paid_now_and_real_times() -> None:
    body = {"price": 10, "sale_price": 8, "created_at": "2026-01-31T08:00:00Z", "availability": "preorder"}
    record = Card("a", 1, json.dumps(body).encode()).filter_record()
    assert (record["price"], record["in_stock"]) == (8, False)
    assert record["created_at"] == datetime(2026, 1, 31, 8, tzinfo=UTC)
    assert Card.of_gone("a").fields() == {}
