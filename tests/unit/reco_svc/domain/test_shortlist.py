"""The shortlist against a plain reading of what it promises."""

from types import SimpleNamespace
from typing import Any, cast

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from reco_svc.domain.diversity import TWINS, shortlist

candidates = st.lists(
    st.tuples(st.sampled_from([0.0, 0.5, 1.0, 2.0]), st.integers(-1, 3), st.integers(-1, 3)), max_size=12
)


@given(candidates, st.integers(0, 14), st.sets(st.integers(0, 3)), st.integers(0, 3), st.randoms())
def test_the_best_of_each_group_and_of_its_near_duplicates_by_score_then_id(
    given_: list[tuple[float, int, int]], k: int, taken: set[int], taken_twin: int, random: Any
) -> None:
    rank = list(range(len(given_)))
    random.shuffle(rank)
    table = SimpleNamespace(
        id_rank=np.array(rank, np.int64), group=np.array([group for _, group, _ in given_], np.int32)
    )
    scores, rows = np.array([score for score, _, _ in given_], np.float32), np.arange(len(given_))
    twins = np.array([twin for _, _, twin in given_], np.int32)[:6]  # of later rows none are known
    wanted, seen, twinned = [], set(taken), {taken_twin}
    for row in sorted(rows.tolist(), key=lambda row: (-given_[row][0], rank[row])):
        score, group, twin = given_[row]
        twin = twin if row < 6 else -1
        if score > 0 and group not in seen and twin not in twinned and len(wanted) < k:
            wanted.append(row)
            seen |= {group} - {-1}
            twinned |= {twin} - {-1}
    held = {*taken, TWINS + taken_twin}
    assert shortlist(scores, rows, k, cast("Any", table), held, twins).tolist() == wanted
