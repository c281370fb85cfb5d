from __future__ import annotations

import numpy as np
import pytest

from reco_svc.domain.inner_products import inner_products


@pytest.mark.parametrize("dim", [1, 24, 33, 384])
@pytest.mark.parametrize("count", [0, 1, 16, 100])
def test_rows_of_half_precision_give_what_a_copy_of_them_gives(dim: int, count: int) -> None:
    rng = np.random.default_rng(dim)
    base = (rng.standard_normal((200, dim)) * 10.0 ** rng.integers(-7, 2, (200, dim))).astype(np.float16)
    base[3] = 0.0
    vector = rng.standard_normal(dim).astype(np.float32)
    rows = rng.integers(0, 200, count)
    wanted = base[rows].astype(np.float64) @ vector.astype(np.float64)
    found = inner_products(base, rows, vector)
    assert found.dtype == np.float32
    assert np.allclose(found, wanted, rtol=1e-5, atol=1e-4)
    single = inner_products(base.astype(np.float32), rows, vector)
    assert np.allclose(found, single, rtol=1e-5, atol=1e-4)
