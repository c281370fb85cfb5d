import numpy as np
import pytest

from reco_svc.domain.evaluation.bootstrap import Resampled, Verdict, ratio_figure


def test_the_interval_holds_the_mean_and_narrows_with_more_questions() -> None:
    rng = np.random.default_rng(1)
    few, many = rng.random(50), rng.random(5_000)
    narrow, wide = Resampled({"a": many}).figure("a"), Resampled({"a": few}).figure("a")
    assert wide.low < few.mean() < wide.high
    assert narrow.high - narrow.low < (wide.high - wide.low) / 5


def test_differences_are_paired() -> None:
    """Both swing widely from question to question, but one is always a little better."""
    base = np.random.default_rng(2).random(200)
    resampled = Resampled({"a": base + 0.01, "b": base})
    assert resampled.figure("a").low < resampled.figure("b").high
    assert resampled.difference("a", "b").verdict is Verdict.BETTER
    assert resampled.difference("b", "a").verdict is Verdict.WORSE


def test_what_chance_may_explain_is_too_small_to_tell() -> None:
    rng = np.random.default_rng(3)
    found = Resampled({"a": rng.random(40), "b": rng.random(40)}).difference("a", "b")
    assert found.difference.low <= 0 <= found.difference.high
    assert found.verdict is Verdict.UNKNOWN
    same = rng.random(9)
    assert Resampled({"a": same, "b": same}).difference("a", "b").ratio == 1.0


def test_the_same_values_give_the_same_interval() -> None:
    values = np.random.default_rng(4).random(100)
    assert Resampled({"a": values}).figure("a") == Resampled({"other": values}).figure("other")


def test_no_questions_give_zero() -> None:
    figure = Resampled({"a": np.empty(0)}).figure("a")
    assert (figure.value, figure.low, figure.high) == (0.0, 0.0, 0.0)


def test_a_ratio_of_sums_weighs_questions_by_what_they_want() -> None:
    figure = ratio_figure(np.array([1.0, 0.0]), np.array([1.0, 9.0]))
    assert figure.value == pytest.approx(0.1)
    assert ratio_figure(np.zeros(3), np.zeros(3)).value == 0.0
