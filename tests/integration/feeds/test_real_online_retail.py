from __future__ import annotations

import time
from collections import Counter
from pathlib import Path

import pytest

from feeds import read_online_retail

REAL = Path(__file__).parents[3].parent / "shared/data/online_retail/online_retail.csv.gz"


@pytest.mark.skipif(not REAL.exists(), reason=f"the data set is not at {REAL}")
def test_the_real_file_is_read_whole() -> None:
    start = time.process_time()
    with REAL.open("rb") as stream:
        result = read_online_retail(stream)
    events = sum(1 for _ in result.interactions())
    assert time.process_time() - start < 60
    assert result.rows_read == 541_909
    assert events == len(result) == 541_909 - len(result.rejected)
    assert Counter(line.reason for line in result.rejected) == {
        "duplicate row": 5_268,
        "not a product": 2_944,
        "quantity is not positive": 1_336,
        "no price": 1_156,
    }
    titles = {entry.product.product_id: entry.product.title for entry in result.products()}
    assert len(titles) == 3_812
    assert titles["85123A"] == "WHITE HANGING HEART T-LIGHT HOLDER"
