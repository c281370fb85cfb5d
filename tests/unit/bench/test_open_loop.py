"""The load generator is a measuring instrument: what it counts must be right."""

from __future__ import annotations

import time
from unittest.mock import MagicMock

import numpy as np
import pytest

from bench.ladder import best, climb
from bench.open_loop import LoadResult, Request, _Connection, answer_size

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 5\r\n\r\nhello"


@pytest.mark.parametrize("got", range(ANSWER.index(b"\r\n\r\n") + 4))
def test_an_answer_has_no_size_before_its_head_is_complete(got: int) -> None:
    assert answer_size(ANSWER[:got]) == 0


def test_an_answer_ends_where_its_length_says() -> None:
    assert answer_size(ANSWER) == len(ANSWER)
    assert answer_size(ANSWER[:-3]) == len(ANSWER)
    assert answer_size(b"HTTP/1.1 304 Not Modified\r\netag: x\r\n\r\n") == 38
    with pytest.raises(ValueError, match="without content-length"):
        answer_size(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")


def test_a_key_goes_into_the_head_and_leaves_the_body_alone() -> None:
    keyed = Request.post("/v1/events", b'{"Host: bench": 1}').with_key("rk_1")
    head, _, body = keyed.raw.partition(b"\r\n\r\n")
    assert b"\r\nX-API-Key: rk_1\r\n" in head + b"\r\n"
    assert body == b'{"Host: bench": 1}'


def test_percentiles_are_those_of_the_sorted_times() -> None:
    result = LoadResult(1.0, 1.0)
    result.took_us = np.random.default_rng(1).lognormal(8, 1, 20_000).astype(int).tolist()
    for percent in (50, 90, 99, 99.9):
        exact = np.percentile(result.took_us, percent, method="inverted_cdf") / 1000
        assert result.percentile_ms(percent) == pytest.approx(exact, rel=0.01)  # a rank more or less, 3 digits


def test_goodput_is_what_was_answered_well_fresh_and_in_time() -> None:
    result, now = LoadResult(10.0, 2.0), time.perf_counter()
    for status, due, degraded in ((200, now, False), (200, now - 1.0, False), (200, now, True), (503, now, False)):
        result.tell(status, due, degraded=degraded)
    assert result.goodput_rps(within_ms=500) == 0.5
    assert (result.achieved_rps, result.answered) == (1.5, 4)


def test_an_answer_says_in_its_head_that_it_is_degraded() -> None:
    load = MagicMock()
    connection = _Connection(load)
    for head in (b"", b"recomesh-degraded: true\r\n"):
        connection.data_received(ANSWER.replace(b"Content-Length", head + b"Content-Length"))
    assert [call.args[1:] for call in load.answered.call_args_list] == [(200, 0.0, False), (200, 0.0, True)]


def test_the_ladder_finds_the_rate_that_still_holds() -> None:
    def offer(rate: float) -> LoadResult:
        answered = int(min(rate, 3_000))
        return LoadResult(rate, 1.0, sent=int(rate), answered=answered, statuses={200: answered}, took_us=[1_000])

    held = best(climb(offer, start=500, most=64_000, p99_ms=10))
    assert held is not None
    assert 2_500 <= held.offered_rps <= 3_000
