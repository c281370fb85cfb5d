from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reco_svc.domain.blend import CONTEXT_SIZES, BlendWeights, blend
from reco_svc.domain.candidates import Candidates
from reco_svc.domain.model import Strategy
from reco_svc.domain.question import Question

NOBODY = Question(-1, *[np.empty(0, np.int64)] * 2, (), (), np.empty(0, np.int64), "", None, None, 0.0)
proposals = st.dictionaries(
    st.sampled_from(["a", "b", "c"]), st.dictionaries(st.integers(0, 9), st.sampled_from([0.5, 1.0, 2.0]), max_size=6)
)


def candidates(scores: dict[int, float]) -> Candidates:
    pairs = sorted(scores.items(), key=lambda pair: (-pair[1], pair[0]))
    rows, values = [row for row, _ in pairs], [score for _, score in pairs]
    return Candidates(np.array(rows, np.int64), np.array(values, np.float32), np.full(len(rows), -1, np.int64))


@settings(deadline=None)
@given(proposals, st.booleans())
def test_a_blend_is_the_weighted_sum_of_what_each_source_says(said: dict[str, dict[int, float]], learned: bool):
    weights = {"a": 0.7, "b": 0.2}
    found = {name: candidates(scores) for name, scores in said.items()}
    known = BlendWeights({"auto": [weights] * len(CONTEXT_SIZES)}, {}) if learned else None
    learned = learned and any(said.get(name) for name in weights)
    expected: dict[int, float] = {}
    for name, its in found.items():
        for rank, (row, score) in enumerate(zip(its.rows.tolist(), its.scores.tolist(), strict=True), start=1):
            part = weights.get(name, 0.0) * score / float(its.scores[0]) if learned else 1 / (60 + rank)
            expected[row] = expected.get(row, 0.0) + part
    blended = blend(found, Strategy.AUTO, NOBODY, known)
    assert dict(zip(blended.rows.tolist(), blended.scores.tolist(), strict=True)) == pytest.approx(expected, abs=1e-5)
    assert np.all(np.diff(blended.scores) <= 0)
    assert np.allclose(blended.parts.sum(0), blended.scores)
