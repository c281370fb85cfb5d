"""`recomesh train --engine spark` against a running mesh: its model answers as that of this process does."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from recomesh.reco.v1 import reco_pb2, reco_service_pb2

from bench.mesh import Mesh, private_mesh
from recomesh_cli.mesh_client import ask, open_mesh
from tests.integration.reco_svc.test_spark_engine import needs_spark
from tests.support.made_task import write_made_task

SESSIONS, HOUR_S = 400, 3_600
STRATEGIES = ("AUTO", "SESSION", "BOUGHT_TOGETHER", "VIEWED_TOGETHER", "SIMILAR", "PERSONAL", "POPULAR")
ASKED = [(name, f"p{group}{place}") for name in STRATEGIES for group in range(6) for place in (0, 5)]
CLOSE = 2e-4  # of scores from 0 to 1
Answers = list[reco_service_pb2.RecommendResponse]


@pytest.fixture(scope="module")
def mesh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mesh]:
    """Of a made shop, imported as a shop's engineer does; nothing is compiled by Spark for so little data."""
    place = tmp_path_factory.mktemp("shop")
    begin_s = int(time.time()) - SESSIONS * HOUR_S
    made = write_made_task(place / "made", sessions=SESSIONS, begin_s=begin_s)
    (place / "spark-defaults.conf").write_text("spark.sql.codegen.wholeStage false\n")
    home = place / "home"
    home.mkdir()
    few = {"worker_spark_master": "local[2]", "worker_spark_memory": "1g"}
    with private_mesh(home, worker_embedder="lsa", **few) as mesh:
        mesh.env["SPARK_CONF_DIR"] = str(place)
        products = str(made / "products.csv.gz")
        told = json.loads(mesh.recomesh("import", "products", products, "--currency", "EUR", "--json").stdout)
        assert told["products"]["written"] == 48
        told = json.loads(mesh.recomesh("import", "events", str(made / "train.csv.gz"), "--json").stdout)
        assert told["events"]["written"] > 3 * SESSIONS
        yield mesh


def trained(mesh: Mesh, engine: str) -> tuple[dict[str, Any], Answers]:
    """What the command tells, and what shoppers are answered as soon as it has ended."""
    told = json.loads(mesh.recomesh("train", "--engine", engine, "--force", "--json").stdout)
    return told, answers(mesh)


def answers(mesh: Mesh) -> Answers:
    with open_mesh(mesh.settings) as client:
        return [
            ask(client.recommendations.Recommend, request, "reco") for request in map(asked, *zip(*ASKED, strict=True))
        ]


def asked(strategy: str, product_id: str) -> reco_service_pb2.RecommendRequest:
    context = reco_pb2.RecommendationContext(product_id=product_id)
    return reco_service_pb2.RecommendRequest(
        strategy=reco_pb2.Strategy.Value(f"STRATEGY_{strategy}"), context=context, limit=10
    )


def manifest(mesh: Mesh) -> dict[str, Any]:
    snapshots = Path(mesh.settings.home) / "snapshots"
    active = (snapshots / "ACTIVE").read_text().strip()
    read: dict[str, Any] = json.loads((snapshots / active / "manifest.json").read_text())
    return read


def assert_alike(one: reco_service_pb2.RecommendResponse, other: reco_service_pb2.RecommendResponse) -> None:
    """The same products with the same scores from the same sources; those that rounding ties may change places."""
    scores = [np.array([item.score for item in answer.items]) for answer in (one, other)]
    assert len(scores[0]) == len(scores[1]) == 10
    np.testing.assert_allclose(*scores, atol=CLOSE)
    told = [{item.product_id: (item.score, item.source) for item in answer.items} for answer in (one, other)]
    for product_id, (score, source) in told[0].items():
        if score > scores[0][-1] + CLOSE:
            assert abs(told[1][product_id][0] - score) < CLOSE
            assert told[1][product_id][1] == source


@needs_spark
@pytest.mark.timeout(900)
def test_its_model_is_served_and_answers_as_the_model_of_this_process_does(mesh: Mesh):
    here, before = trained(mesh, "local")
    assert manifest(mesh)["parameters"]["engine"] == "local"
    there, after = trained(mesh, "spark")
    active = manifest(mesh)
    assert (active["parameters"]["engine"], active["parent"]) == ("spark", here["model_version"])
    assert (here["state"], there["state"]) == ("succeeded", "succeeded")
    assert {answer.model_version for answer in before} == {here["model_version"]}
    assert {answer.model_version for answer in after} == {there["model_version"]}
    assert there["quality"] == pytest.approx(here["quality"], abs=1e-6)
    sources = {item.source for answer in after for item in answer.items}
    assert {"session", "bought_together", "viewed_together", "collaborative"} <= sources
    for one, other in zip(before, after, strict=True):
        assert_alike(one, other)
