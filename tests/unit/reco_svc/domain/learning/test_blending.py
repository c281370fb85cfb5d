"""Weights are learned, and never lose to a source on a slice."""

import numpy as np

from reco_svc.domain.blend import CONTEXT_SIZES
from reco_svc.domain.candidates import Candidates
from reco_svc.domain.learning.blending import learn_weights
from reco_svc.domain.learning.validation import KnownAnswer
from reco_svc.domain.model import EventType, Strategy
from reco_svc.domain.question import Question

NONE = np.empty(0, np.int64)


def asked(size: int, relevant: int) -> KnownAnswer:
    rows = np.arange(100, 100 + size)
    question = Question(-1, NONE, rows, [EventType.VIEW_ITEM] * size, [0.0] * size, NONE, "", None, None, 0.0)
    return KnownAnswer(question, np.array([relevant]))


def says(*rows: int) -> Candidates:
    scores = np.linspace(1.0, 0.5, len(rows)).astype(np.float32)
    return Candidates(np.array(rows, np.int64), scores, np.full(len(rows), -1, np.int64))


def still(rows: np.ndarray) -> np.ndarray:
    return np.zeros(len(rows), np.float32)


def test_the_source_that_is_right_gets_the_weight():
    answers = [asked(2, at % 20) for at in range(120)]
    proposals = [{"wise": says(at % 20, 20, 21), "fool": says(20, 21, 22)} for at in range(120)]
    learned = learn_weights(answers, proposals, ("wise", "fool"), still)
    weights = learned.of(Strategy.AUTO, answers[0].question)
    assert weights is not None
    assert weights["wise"] == 1.0
    assert weights["fool"] < 0.5
    assert learned.evidence["alone_wise"] > learned.evidence["alone_fool"]


def test_on_no_slice_the_blend_loses_to_its_best_source():
    answers = [asked(2, at % 20) for at in range(300)] + [asked(20, at % 20) for at in range(50)]
    proposals = [{"short": says(at % 20, 20, 21), "long": says(22, 23, 20)} for at in range(300)]
    proposals += [{"short": says(22, 23, 20), "long": says(at % 20, 20, 21)} for at in range(50)]
    learned = learn_weights(answers, proposals, ("short", "long"), still)
    for bound in CONTEXT_SIZES:
        if f"best_source_to_{bound}" in learned.evidence:
            assert learned.evidence[f"blend_to_{bound}"] >= 0.99 * learned.evidence[f"best_source_to_{bound}"]
    weights = learned.of(Strategy.AUTO, answers[-1].question)
    assert weights is not None
    assert weights["long"] > weights["short"]


def test_too_few_questions_teach_nothing():
    answers = [asked(2, 1)] * 29
    assert not learn_weights(answers, [{"a": says(1)}] * 29, ("a",), still).by_strategy


def test_a_size_that_hardly_anybody_was_asked_of_takes_the_weights_of_the_nearest():
    answers = [asked(2, at % 20) for at in range(300)] + [asked(20, at % 20) for at in range(100)]
    proposals = [{"short": says(at % 20, 20, 21), "long": says(22, 23, 20)} for at in range(300)]
    proposals += [{"short": says(22, 23, 20), "long": says(at % 20, 20, 21)} for at in range(100)]
    learned = learn_weights(answers, proposals, ("short", "long"), still)
    of = {size: learned.of(Strategy.AUTO, asked(size, 0).question) for size in (1, 2, 7, 20, 80)}
    assert of[1] == of[2]
    assert of[7] == of[80] == of[20]
    assert of[2] != of[20]
