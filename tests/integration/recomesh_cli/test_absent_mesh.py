"""Commands against addresses where nothing answers."""

import pytest
from typer.testing import CliRunner

from meshkit.settings import MeshSettings
from recomesh_cli.checks import Verdict
from recomesh_cli.checks.redis import ask_redis
from recomesh_cli.main import app
from recomesh_cli.mesh.ports import port_troubles
from recomesh_cli.mesh.processes import PROCESSES


@pytest.fixture
def recomesh(monkeypatch, tmp_path):
    monkeypatch.setenv("RECOMESH_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    return lambda *arguments: CliRunner().invoke(app, list(arguments))


def test_an_absent_mesh_is_told_with_the_fix(recomesh, monkeypatch):
    monkeypatch.setenv("RECOMESH_RECO_TARGET", "127.0.0.1:1")
    answer = recomesh("similar", "a")
    assert answer.exit_code == 1
    assert answer.stderr.count("\n") == 1
    assert "`recomesh up`" in answer.stderr
    assert "RECOMESH_RECO_TARGET" in answer.stderr


def test_a_server_that_does_not_answer_fails_without_its_password():
    check = ask_redis("redis://u:hunter2@127.0.0.1:1/0").check
    assert check.verdict is Verdict.FAIL
    assert "hunter2" not in check.found
    assert "RECOMESH_CACHE_URL" in check.fix


def test_a_mesh_that_does_not_run_is_told_with_the_fix(recomesh, monkeypatch):
    for process in PROCESSES:
        monkeypatch.setenv(f"RECOMESH_{process.state_field.upper()}", "1")
    answer = recomesh("status")
    assert answer.exit_code == 1
    assert "`recomesh up`" in answer.stdout


def test_one_port_wanted_twice_names_both_variables():
    settings = MeshSettings(edge_port=50_999, catalog_port=50_999)
    (trouble,) = [t for t in port_troubles(settings) if t.port == 50_999]
    assert "RECOMESH_CATALOG_PORT" in str(trouble)
    assert "RECOMESH_EDGE_PORT" in str(trouble)
