"""Counting rows of a mask without reading more of it than is needed."""

from __future__ import annotations

import numpy as np

from reco_svc.domain.ports import Mask

_STRETCH = 65_536  # rows at first, each time as many again as were read


def fewer_than(count: int, allowed: Mask) -> bool:
    """Whether `allowed` (rows,) is true for fewer rows than `count`."""
    return at_most(count, allowed) < count


def at_most(count: int, allowed: Mask) -> int:
    """The rows for which `allowed` (rows,) is true, or `count` where there are more."""
    found = end = 0
    while end < len(allowed):
        begin, end = end, max(_STRETCH, 2 * end)
        found += int(np.count_nonzero(allowed[begin:end]))
        if found >= count:
            return count
    return found
