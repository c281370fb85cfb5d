"""Compiled parts of the search in cells. Places are positions in the order of the cells; see `cell_vector_index`."""

from __future__ import annotations

import numpy as np
from numba import njit

from reco_svc.domain.inner_products import read_ahead

_AHEAD = 32  # places whose codes are asked for before the first of them is needed
_LINE = 64  # bytes to a line of the cache


@njit(cache=True, nogil=True, fastmath=True)
def products(matrix, vector):  # type: ignore[no-untyped-def]
    """(rows,): the inner products of (rows, dim) and (dim,). BLAS would wake a second thread for it."""
    found = np.empty(len(matrix), np.float32)
    for row in range(len(matrix)):
        total = np.float32(0.0)
        for at in range(matrix.shape[1]):
            total += matrix[row, at] * vector[at]
        found[row] = total
    return found


@njit(cache=True, nogil=True)
def places_in(cells, ptr, rows, bits, enough):  # type: ignore[no-untyped-def]
    """Places of the allowed rows of the cells, in their order, to the end of the cell in which they are `enough`.

    `bits` has one for each row, the lowest first; empty: all are allowed.
    """
    room = 0
    for cell in cells:
        room = max(room, ptr[cell + 1] - ptr[cell])
    found, count = np.empty(enough + room + 1, np.int32), 0
    for cell in cells:
        for place in range(ptr[cell], ptr[cell + 1]):
            found[count] = place  # taken back by the next one if its row is not allowed: no branch to guess wrong
            row = rows[place]
            count += (bits[row >> 3] >> (row & 7)) & 1 if len(bits) else 1
        if count >= enough:
            break
    return found[:count]


@njit(cache=True, nogil=True, fastmath=True)
def nearest_places(codes, places, query, k):  # type: ignore[no-untyped-def]
    """Of (count,) places the k whose codes (int8) have the greatest products with `query` (float32), in no order.

    The second is that of read_ahead.
    """
    k = min(k, len(places))
    least, found, filled = np.empty(k, np.float32), np.empty(k, np.int64), 0  # a heap, the least of the best on top
    dim, touched = codes.shape[1], np.int64(0)
    for begin in range(0, len(places), _AHEAD):
        end = min(len(places), begin + _AHEAD)
        touched += read_ahead(codes, places[begin:end], _LINE)
        for at in range(begin, end):
            place, total = places[at], np.float32(0.0)
            for number in range(dim):
                total += query[number] * np.float32(codes[place, number])
            if filled < k:
                spot, filled = filled, filled + 1
                while spot > 0 and least[(spot - 1) >> 1] > total:
                    least[spot], found[spot] = least[(spot - 1) >> 1], found[(spot - 1) >> 1]
                    spot = (spot - 1) >> 1
                least[spot], found[spot] = total, place
            elif total > least[0]:
                spot = 0
                while 2 * spot + 1 < k:
                    below = 2 * spot + 1
                    if below + 1 < k and least[below + 1] < least[below]:
                        below += 1
                    if least[below] >= total:
                        break
                    least[spot], found[spot] = least[below], found[below]
                    spot = below
                least[spot], found[spot] = total, place
    return found, touched
