import numpy as np
import pytest

from reco_svc.domain.evaluation.beyond_accuracy import BEYOND, Shelves, beyond_accuracy, popularity_percentiles


def _rows(*rows: int) -> np.ndarray:
    return np.array(rows, np.int64)


def _shelves(events: list[int], vectors: np.ndarray | None = None) -> Shelves:
    n = len(events)
    return Shelves(_rows(*events), np.eye(n, dtype=np.float32) if vectors is None else vectors, n)


def test_coverage_counts_products_in_any_top_ten() -> None:
    lists = [_rows(*range(15)), _rows(0, 1)]
    assert beyond_accuracy(lists, _shelves([1] * 20))["coverage@10"] == 0.5


def test_rare_products_are_novel_and_not_popular() -> None:
    shelves = _shelves([100, 10, 1, 0])
    rare, common = beyond_accuracy([_rows(3, 2)], shelves), beyond_accuracy([_rows(0, 1)], shelves)
    assert rare["novelty@10"] > common["novelty@10"]
    assert rare["popularity@10"] < common["popularity@10"]


def test_novelty_is_self_information_in_bits() -> None:
    """Shares with one added to each: 4/8, 2/8, 1/8, 1/8."""
    assert beyond_accuracy([_rows(0, 1, 2, 3)], _shelves([3, 1, 0, 0]))["novelty@10"] == pytest.approx(
        (1 + 2 + 3 + 3) / 4
    )


def test_a_list_of_likes_has_no_diversity() -> None:
    alike = np.tile(np.array([1.0, 0.0], np.float32), (4, 1))
    assert beyond_accuracy([_rows(0, 1, 2)], _shelves([1] * 4, alike))["diversity@10"] == pytest.approx(0.0)
    assert beyond_accuracy([_rows(0, 1, 2)], _shelves([1] * 4))["diversity@10"] == pytest.approx(1.0)


def test_gini_is_0_when_all_are_shown_alike_and_near_1_when_one_is() -> None:
    assert beyond_accuracy([_rows(0, 1), _rows(2, 3)], _shelves([1] * 4))["gini@10"] == pytest.approx(0.0)
    assert beyond_accuracy([_rows(0)] * 9, _shelves([1] * 100))["gini@10"] == pytest.approx(0.99)


def test_equally_popular_products_share_their_percentile() -> None:
    assert popularity_percentiles(_rows(5, 5, 9, 1)).tolist() == pytest.approx([0.625, 0.625, 1.0, 0.25])


def test_no_lists_give_zero() -> None:
    assert beyond_accuracy([], _shelves([1, 2])) == dict.fromkeys(BEYOND, 0.0)
