from __future__ import annotations

import numpy as np
import pytest

from reco_svc.domain import rows
from reco_svc.domain.rows import at_most, fewer_than


@pytest.mark.parametrize("stretch", [3, 100])
def test_no_more_is_counted_than_is_asked_for(stretch: int, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(rows, "_STRETCH", stretch)
    mask = np.array([True, False, False, True, True, False, False, True])
    assert [at_most(count, mask) for count in range(6)] == [0, 1, 2, 3, 4, 4]
    assert [fewer_than(count, mask) for count in (3, 4, 5)] == [False, False, True]
    assert at_most(3, np.zeros(0, np.bool_)) == 0
