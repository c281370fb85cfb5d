import numpy as np

from reco_svc.domain.evaluation.slices import HEAD, MIDDLE, NEVER, TAIL, by_history_length, by_popularity


def test_every_question_is_in_exactly_one_slice() -> None:
    lengths = [0, 1, 2, 4, 5, 9, 10, 60, 200]
    found = by_history_length(lengths)
    assert np.sum([inside for _, inside in found], axis=0).tolist() == [1] * len(lengths)
    assert [label for label, _ in found] == ["0", "1", "2–4", "5–9", "10–19", "50+"]


def test_every_product_is_in_exactly_one_part() -> None:
    events = np.array([100, 60, 40, 30, 20, 10, 5, 1, 0, 0])
    found = dict(by_popularity(events))
    assert np.sum(list(found.values()), axis=0).tolist() == [1] * len(events)
    assert found[HEAD].tolist() == [True, True] + [False] * 8
    assert found[NEVER].tolist() == [False] * 8 + [True, True]
    assert list(found) == [NEVER, TAIL, MIDDLE, HEAD]


def test_a_shop_without_events_has_one_part() -> None:
    assert [label for label, _ in by_popularity(np.zeros(3, np.int64))] == [NEVER]
