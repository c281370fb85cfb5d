"""What doctor and status say of the stores behind the mesh: real servers, absent, frozen and back."""

import json
import time

import pytest
from typer.testing import CliRunner

from bench.ports import free_ports
from meshkit.settings import MeshSettings
from recomesh_cli.checks.backends import ask_backends
from recomesh_cli.checks.databases import ask_database
from recomesh_cli.checks.model import Verdict
from recomesh_cli.main import app

SLACK_S = 10.0  # the machine may be busy


@pytest.fixture
def servers(postgres, mongo, redis_server, rabbit):
    return {"database": postgres, "catalog store": mongo, "cache": redis_server, "queue": rabbit}


@pytest.fixture
def variables(servers, tmp_path):
    database = servers["database"].new_database()
    return {
        "RECOMESH_HOME": str(tmp_path),
        "RECOMESH_CATALOG_URL": servers["catalog store"].new_database(),
        "RECOMESH_DATABASE_URL": database,
        "RECOMESH_KEYS_URL": database,
        "RECOMESH_CACHE_URL": servers["cache"].url,
        "RECOMESH_BROKER_URL": servers["queue"].url,
    }


def test_status_and_doctor_show_version_and_latency_of_every_server(variables, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    told = json.loads(CliRunner().invoke(app, ["status", "--json"], env=variables).stdout)
    shown = {b["name"]: b for b in told["backends"]}
    kinds = {"catalog store": "MongoDB", "database": "PostgreSQL", "queue": "RabbitMQ", "cache": "Redis"}
    assert {name: shown[name]["kind"] for name in kinds} == kinds
    for name in kinds:
        assert shown[name]["version"][0].isdigit(), name
        assert shown[name]["latency_ms"] > 0, name
        assert shown[name]["healthy"], shown[name]
    lines = CliRunner().invoke(app, ["doctor"], env=variables).stdout
    for name, kind in kinds.items():
        assert f"{name}: {kind} {shown[name]['version']} at " in lines
    assert "recomesh:recomesh" not in lines


def test_status_shows_embedded_stores_with_their_version(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "catalog.db").touch()
    told = json.loads(CliRunner().invoke(app, ["status", "--json"], env={"RECOMESH_HOME": str(tmp_path)}).stdout)
    shown = {b["name"]: b for b in told["backends"]}
    names = ["catalog store", "database", "profile database", "keys", "queue", "cache", "snapshots"]
    assert list(shown) == names
    assert shown["catalog store"]["kind"] == "SQLite"
    assert shown["catalog store"]["latency_ms"] >= 0
    assert "made on first start" in shown["keys"]["place"]
    assert shown["cache"]["kind"] == "memory of each process"


@pytest.mark.parametrize("name", ["database", "catalog store", "cache", "queue"])
@pytest.mark.parametrize("trouble", ["stop", "freeze"])
def test_a_server_that_is_away_is_told_soon_and_the_others_are_not_blamed(servers, variables, name, trouble):
    settings = MeshSettings(**{k.removeprefix("RECOMESH_").lower(): v for k, v in variables.items()})
    server = servers[name]
    if trouble == "stop":
        server.shut_down()
    else:
        server.freeze()
    try:
        began = time.monotonic()
        found = {b.name: b for b in ask_backends(settings)}
        took_s = time.monotonic() - began
    finally:
        if trouble == "stop":
            server.start()
        else:
            server.thaw()
    blamed = {n for n, b in found.items() if b.verdict is Verdict.FAIL}
    also = {"keys", "catalog store"} if name == "database" else set()  # FerretDB keeps its data in PostgreSQL
    assert {name} <= blamed <= {name} | also
    assert (found[name].latency_ms, found[name].version) == (None, "")
    assert found[name].trouble
    assert found[name].fix
    assert took_s < 5 + SLACK_S
    server.wait()


@pytest.mark.parametrize("scheme", ["postgresql", "mongodb"])
def test_a_server_that_is_away_fails_with_the_variable_to_correct(scheme):
    (port,) = free_ports(1)
    check = ask_database("products", "RECOMESH_CATALOG_URL", f"{scheme}://me:secret@127.0.0.1:{port}/shop").check
    assert check.verdict is Verdict.FAIL
    assert "secret" not in check.found
    assert "RECOMESH_CATALOG_URL" in check.fix


def test_a_missing_database_is_said(postgres):
    check = ask_database("products", "RECOMESH_CATALOG_URL", postgres.new_database() + "_missing").check
    assert check.verdict is Verdict.FAIL
    assert "does not exist" in check.found
