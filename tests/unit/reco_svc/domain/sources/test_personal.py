"""In a large shop the source looks at a few of the products that fit; they are the ones that fit best."""

from __future__ import annotations

import numpy as np
import pytest

from reco_svc.domain.candidates import Candidates
from reco_svc.domain.model import EventType, Preferences, RuleSet
from reco_svc.domain.popularity import Popularity
from reco_svc.domain.ports import HourlyCount
from reco_svc.domain.product_table import ProductTable
from reco_svc.domain.question import Question
from reco_svc.domain.sources import personal
from reco_svc.domain.sources.personal import PersonalSource
from reco_svc.domain.vector_space import VectorSpace
from reco_svc.domain.view import View
from tests.support.reco_fakes import product

N = 4_000


@pytest.fixture(scope="module")
def shop() -> View:
    rng = np.random.default_rng(5)
    table, popularity = ProductTable(), Popularity()
    table.load(
        [
            product(
                f"p{row:04}",
                categories=(f"C{rng.integers(6)}",),
                brand=f"B{rng.integers(30)}",
                price=float(np.exp(rng.normal(3, 1))),
            )
            for row in range(N)
        ],
        1,
    )
    wanted = rng.choice(N, 300, replace=False)
    counts = [
        HourlyCount(f"p{row:04}", EventType.VIEW_ITEM, 480_000, int(300 / (at + 1)) + 1, at)
        for at, row in enumerate(wanted.tolist())
    ]
    popularity.apply(counts, table.row)
    return View(table, VectorSpace.empty(4), popularity, None, RuleSet())


def asked(seen: list[int], preferences: Preferences | None = None) -> Question:
    rows, none = np.array(seen, np.int64), np.empty(0, np.int64)
    types = [EventType.VIEW_ITEM] * len(seen)
    return Question(-1, none, rows, types, [0.0] * len(seen), none, "", None, preferences, 480_000 * 3600.0)


def proposed(shop: View, question: Question, allowed: np.ndarray) -> Candidates:
    return PersonalSource().propose(shop, question, 50, allowed)


@pytest.mark.parametrize("share", [1.0, 0.5, 0.02])
@pytest.mark.parametrize(
    ("seen", "preferences"),
    [
        ([1, 2, 3], None),
        ([17], None),
        ([], Preferences(visitor_id="v", categories=("C1",), brands=("B3",), price_max=30.0)),
        ([5, 9], Preferences(visitor_id="v", brands=("B7",))),
    ],
)
def test_a_shortlist_is_worth_what_weighing_every_product_finds(
    shop: View,
    seen: list[int],
    preferences: Preferences | None,
    share: float,
    monkeypatch: pytest.MonkeyPatch,
):
    allowed = np.random.default_rng(1).random(N) < share
    question = asked(seen, preferences)
    every = proposed(shop, question, allowed)
    monkeypatch.setattr(personal, "EVERY_ROW_UP_TO", 100)
    monkeypatch.setattr(personal, "FEW", 200)
    short = proposed(shop, question, allowed)
    assert allowed[short.rows].all()
    assert not set(short.rows.tolist()) & set(seen)
    assert len(short.rows) == len(every.rows)
    assert (short.scores <= every.scores).all()
    assert (short.scores[:10] >= every.scores[:10] - 0.01).all()
    assert short.scores.sum() >= 0.98 * every.scores.sum()


def test_nobody_of_unknown_taste_is_answered(shop: View):
    assert not len(proposed(shop, asked([]), np.ones(N, np.bool_)).rows)
