from __future__ import annotations

import math
import random
from dataclasses import replace

import orjson
import pytest
from typer.testing import CliRunner

from recomesh_cli.capacity.constants import measured
from recomesh_cli.capacity.estimate import Demand, Part, estimate, first_to_break
from recomesh_cli.capacity.queueing import response_p99_ms, safe_utilisation
from recomesh_cli.main import app

SMALL = Demand(rps=100, hot=0.5, products=10_000, events_per_s=10, events_kept=1e6)


def parts(demand: Demand) -> dict[str, Part]:
    return {part.name: part for part in estimate(demand, measured())}


def test_waiting_is_what_queueing_theory_says_for_one_server_and_exponential_service() -> None:
    rng = random.Random(2)
    service = [rng.expovariate(1.0) for _ in range(20_000)]
    for busy in (0.5, 0.8):
        expected = math.log(100) / (1 - busy)  # M/M/1: the response time is exponential with rate 1 - busy
        assert response_p99_ms(busy, service, 1) == pytest.approx(expected, rel=0.15)


def test_more_servers_may_be_busier_for_the_same_promise() -> None:
    service = (0.5,) * 90 + (5.0,) * 10
    shares = [safe_utilisation(service, servers, 10.0) for servers in (1, 2, 8)]
    assert shares == sorted(shares)
    assert 0 < shares[0] < shares[-1] < 1
    assert safe_utilisation((20.0,), 4, 10.0) == pytest.approx(0.0, abs=0.01)


def test_nothing_that_must_outlive_a_machine_stands_alone() -> None:
    assert all(part.machines >= 2 for part in parts(SMALL).values())


@pytest.mark.parametrize(
    ("grown", "part"),
    [
        (replace(SMALL, rps=200_000), "edge"),
        (replace(SMALL, rps=100_000, hot=0.0), "reco"),
        (replace(SMALL, products=100_000_000), "reco"),
        (replace(SMALL, products=1_000_000_000), "MongoDB"),
        (replace(SMALL, events_per_s=50_000), "RabbitMQ"),
        (replace(SMALL, events_kept=1e11), "PostgreSQL"),
    ],
)
def test_what_grows_takes_machines_where_it_lands(grown: Demand, part: str) -> None:
    assert parts(grown)[part].machines > parts(SMALL)[part].machines


def test_a_catalog_that_no_machine_can_hold_is_for_a_vector_engine() -> None:
    assert "vector engine" in parts(replace(SMALL, products=100_000_000))["reco"].engine
    assert "vector engine" not in parts(replace(SMALL, products=1_000_000, memory_gb=64))["reco"].engine


def test_the_fullest_part_gives_in_first() -> None:
    assert first_to_break(estimate(replace(SMALL, events_kept=1e11), measured())).name == "PostgreSQL"


def test_the_command_tells_the_same_as_json() -> None:
    told = CliRunner().invoke(app, ["capacity", "--rps", "10000", "--products", "1000000", "--hot", "0", "--json"])
    assert told.exit_code == 0
    answer = orjson.loads(told.stdout)
    assert answer["machines"] == sum(part["machines"] for part in answer["parts"])
    assert answer["breaks_first"] in {part["name"] for part in answer["parts"]}
    assert answer["source"] == measured().source
    shown = CliRunner().invoke(app, ["capacity", "--rps", "10000", "--products", "1000000", "--hot", "0"])
    assert shown.exit_code == 0
    assert f"{answer['machines']} machines" in shown.stdout
