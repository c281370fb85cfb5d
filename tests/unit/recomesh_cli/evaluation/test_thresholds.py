from dataclasses import replace

import pytest

from meshkit.errors import InvalidArgument
from recomesh_cli.evaluation.thresholds import Threshold
from tests.support.evaluations import made_evaluation


def test_a_threshold_is_of_the_blend_unless_a_system_is_named() -> None:
    assert Threshold.read("NDCG@10=0.2") == Threshold("auto", "ndcg@10", 0.2)
    assert Threshold.read("session/hr@10=.5") == Threshold("session", "hr@10", 0.5)
    assert Threshold.read("baseline: item-kNN/hr@10=.5").system == "baseline: item-kNN"


@pytest.mark.parametrize("text", ["ndcg@10", "ndcg@10=", "=0.2", "ndcg@10=much", "ndcg@10=nan", "session/=1"])
def test_what_is_no_threshold_is_told_with_the_form(text: str) -> None:
    with pytest.raises(InvalidArgument, match=r"must be like ndcg@10=0.2"):
        Threshold.read(text)


def test_a_figure_below_is_told_one_at_the_threshold_is_not() -> None:
    evaluation = made_evaluation()
    assert Threshold("auto", "ndcg@10", 0.4).missed(evaluation) == "auto/ndcg@10 is 0.3000, below 0.4"
    assert not Threshold("auto", "ndcg@10", 0.3).missed(evaluation)
    assert not Threshold("session", "coverage@10", 0.5).missed(evaluation)


def test_an_unknown_metric_or_system_is_told_with_what_there_is() -> None:
    with pytest.raises(InvalidArgument, match=r"'map' is not measured; there are recall@20, ndcg@10"):
        Threshold.read("map=0.1")
    with pytest.raises(InvalidArgument, match=r"'als' is not evaluated; there are auto, similar"):
        Threshold.read("als/hr@10=0.1")


def test_what_could_not_be_measured_is_missed() -> None:
    whole = made_evaluation()
    blend = replace(whole.systems[0], figures={})
    told = Threshold("auto", "hr@10", 0.0).missed(replace(whole, systems=[blend]))
    assert told == "auto/hr@10 could not be measured: no known answers (truth.jsonl)"
