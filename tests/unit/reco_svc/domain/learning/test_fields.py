"""Training finds out which fields tell what sells together."""

from __future__ import annotations

import random

import numpy as np
import pytest

from reco_svc.domain.learning.events import LearningEvents
from reco_svc.domain.learning.fields import CHOICES, choose_fields
from reco_svc.domain.model import Product

PRODUCTS, KINDS, SESSIONS = 120, 12, 600


def shop(follow: str) -> tuple[list[Product], LearningEvents]:
    """Categories sort products one way, descriptions another; sessions of four follow one of the two."""
    rng = random.Random(5)
    kind = {"categories": [at % KINDS for at in range(PRODUCTS)], "description": [at // 10 for at in range(PRODUCTS)]}
    products = [
        Product(
            f"p{at:03d}",
            f"Item {rng.random():.6f}",
            categories=(f"Shelf {'abcdefghijkl'[kind['categories'][at]] * 4}",),
            description=f"Told in the style {'mnopqrstuvwx'[kind['description'][at]] * 5}.",
        )
        for at in range(PRODUCTS)
    ]
    members = [[at for at in range(PRODUCTS) if kind[follow][at] == k] for k in range(KINDS)]
    rows = np.array([row for s in range(SESSIONS) for row in rng.sample(members[s % KINDS], 4)], np.int64)
    session = np.repeat(np.arange(SESSIONS), 4)
    at_s = 1_700_000_000 + session * 600 + np.tile(np.arange(4), SESSIONS)
    return products, LearningEvents(session, session, session * 0 - 1, rows, at_s, np.ones(len(rows), np.float32))


def flat(products: list[Product]) -> np.ndarray:
    return np.zeros((len(products), 4), np.float32)


@pytest.mark.parametrize("follow", ["categories", "description"])
def test_a_description_is_told_where_it_tells_what_sells_together(follow: str):
    products, events = shop(follow)
    assert ("description" in choose_fields(products, flat(products), events)) == (follow == "description")


def test_without_questions_everything_is_told():
    products, events = shop("categories")
    assert choose_fields(products, flat(products), events.take(np.arange(len(events)) < 40)) == CHOICES[0]
    assert choose_fields(products, flat(products), events.take(np.zeros(len(events), bool))) == CHOICES[0]


def test_the_same_log_makes_the_same_choice():
    products, events = shop("categories")
    assert choose_fields(products, flat(products), events) == choose_fields(products, flat(products), events)
