"""The demo shop, moved by backup and restore to other stores, gives the same answers."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from bench.mesh import Mesh, private_mesh
from tests.support.processes import private_env, wait_until

pytestmark = pytest.mark.timeout(900)
# FerretDB reads all products for one page: most of a second on a busy machine, longer than shoppers are kept waiting.
PATIENT = {"edge_deadline_s": "30", "edge_catalog_timeout_s": "10", "edge_reco_timeout_s": "10"}


def _ask(shop: httpx.Client, question: str, body: object = None, **params: object) -> dict[str, Any]:
    """The answer; a server on a busy machine may need more than one try."""
    told: list[str] = []

    def answer() -> dict[str, Any] | None:
        got = shop.post(question, json=body) if body else shop.get(question, params=params)  # type: ignore[arg-type]
        told.append(f"{got.status_code} {got.text[:300]}")
        degraded = "recomesh-degraded" in got.headers or got.json().get("degraded")
        return got.json() if got.status_code == 200 and not degraded else None

    try:
        return wait_until(answer, within_s=60) or {}
    except AssertionError:
        raise AssertionError(f"{question}: {told[-1]}") from None


def _answers(shop: httpx.Client) -> dict[str, Any]:
    """What does not depend on the time of asking, by question."""
    products = list(_products(shop))
    ids = [p["product_id"] for p in products]
    found: dict[str, Any] = {"products": products, "categories": _ask(shop, "/v1/categories")}
    for product_id in ids[::40]:
        for relation in ("similar", "bought-together", "viewed-together"):
            question = f"/v1/products/{product_id}/{relation}"
            found[question] = _ranked(_ask(shop, question, limit=20))
    for question in ("/v1/popular", "/v1/new"):
        found[question] = _ranked(_ask(shop, question, limit=20))
    for words in ("lamp", "oak lamp", "a warm lamp for the desk", "unheard-of mug"):
        found[f"search {words}"] = [p["product_id"] for p in _ask(shop, "/v1/search", q=words, limit=100)["products"]]
    for n in range(10):
        body = {"context": {"basket": ids[3 * n : 3 * n + 3]}, "filter": "price > 5", "limit": 10}
        found[f"basket {n}"] = _ranked(_ask(shop, "/v1/recommendations", body))
    return found


def _products(shop: httpx.Client) -> Iterator[dict[str, Any]]:
    token = ""
    while True:
        page = _ask(shop, "/v1/products", page_size=100, page_token=token)
        yield from page["products"]
        if not (token := page["next_page_token"]):
            return


def _ranked(answer: dict[str, Any]) -> dict[str, Any]:
    return {"model": answer["model_version"], "ids": [item["product_id"] for item in answer["items"]]}


def _client(mesh: Mesh) -> httpx.Client:
    return httpx.Client(base_url=f"http://127.0.0.1:{mesh.port}", timeout=20)


@pytest.mark.parametrize(
    ("products", "kind"),
    [
        pytest.param("postgres", "PostgreSQL", id="postgresql"),
        pytest.param("mongo", "MongoDB", id="mongodb"),
    ],
)
def test_other_stores_give_the_same_answers(
    mesh: Mesh,
    postgres: Any,
    redis_server: Any,
    rabbit: Any,
    tmp_path: Path,
    request: pytest.FixtureRequest,
    products: str,
    kind: str,
) -> None:
    mesh.recomesh("backup", str(tmp_path / "backup"))
    stores = {
        "catalog_url": request.getfixturevalue(products).new_database(),
        "database_url": postgres.new_database(),
        "cache_url": redis_server.url,
        "broker_url": rabbit.url,
        "worker_embedder": "lsa",
        **(PATIENT if products == "mongo" else {}),
    }
    home = tmp_path / "home"
    home.mkdir()
    command = [sys.executable, "-m", "recomesh_cli", "restore", str(tmp_path / "backup")]
    subprocess.run(command, env=private_env(home, **stores), check=True, timeout=300, capture_output=True)

    with private_mesh(home, **stores) as moved, _client(mesh) as before, _client(moved) as after:
        wanted = _answers(before)
        assert len(wanted["products"]) > 100
        wait_until(lambda: after.get("/v1/popular?limit=1").json().get("model_version"), within_s=120)
        found = _answers(after)
        assert {q: found[q] for q in wanted if found[q] != wanted[q]} == {}
        status = moved.recomesh("status", "--json")
    told = json.loads(status.stdout)
    assert told["healthy"]
    backends = {b["name"]: b for b in told["backends"]}
    assert {n: b["trouble"] for n, b in backends.items() if not b["healthy"]} == {}
    servers = ["catalog store", "database", "queue", "cache"]
    assert [backends[name]["kind"] for name in servers] == [kind, "PostgreSQL", "RabbitMQ", "Redis"]
    assert all(backends[name]["version"] and backends[name]["latency_ms"] for name in servers)
