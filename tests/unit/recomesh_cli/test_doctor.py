import json
import sqlite3
from contextlib import closing
from pathlib import Path

from meshkit.broker.port import Message
from meshkit.broker.spool import Spool
from meshkit.settings import MeshSettings
from recomesh_cli.checks import Verdict
from recomesh_cli.checks.databases import ask_database
from recomesh_cli.checks.parts import check_service_config
from recomesh_cli.checks.queue import check_spools
from recomesh_cli.checks.weights import check_weights


def test_a_healthy_machine_passes(recomesh, monkeypatch):
    monkeypatch.setattr("recomesh_cli.checks.machine.port_troubles", lambda settings: [])
    answer = recomesh("doctor", "--json")
    told = json.loads(answer.stdout)
    failed = [c for c in told["checks"] if c["verdict"] == "fail"]
    assert (answer.exit_code, failed) == (0, [])
    assert {"python", "home", "disk", "ports", "clock", "service config", "torch", "model weights", "queue"} <= {
        c["name"] for c in told["checks"]
    }


def test_wrong_settings_fail_with_their_names(recomesh, monkeypatch):
    monkeypatch.setenv("RECOMESH_REKO_PORT", "1")
    answer = recomesh("doctor")
    assert answer.exit_code == 1
    assert "RECOMESH_REKO_PORT" in answer.stdout


def test_a_home_that_can_not_be_written_fails_with_a_fix(recomesh, monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("RECOMESH_HOME", "/proc/recomesh")
    answer = recomesh("doctor")
    assert answer.exit_code == 1
    assert "RECOMESH_HOME" in answer.stdout


def test_a_broken_database_fails(tmp_path):
    good, bad = tmp_path / "good.db", tmp_path / "bad.db"
    database = sqlite3.connect(good)
    database.execute("CREATE TABLE t (a)")
    database.close()
    bad.write_bytes(b"no database" * 100)
    verdicts = {
        p.name: ask_database("db", "RECOMESH_X", f"sqlite:///{p}", thorough=True).verdict
        for p in (good, bad, tmp_path / "none.db")
    }
    assert verdicts == {"good.db": Verdict.OK, "bad.db": Verdict.FAIL, "none.db": Verdict.OK}


def test_a_broken_service_config_fails(tmp_path):
    file = tmp_path / "c.json"
    file.write_text("{")
    assert check_service_config(MeshSettings(service_config=file)).verdict is Verdict.FAIL
    assert check_service_config(MeshSettings()).verdict is Verdict.OK


def test_weights_with_another_hash_fail(tmp_path: Path):
    (tmp_path / "model.safetensors").write_bytes(b"else")
    assert check_weights(tmp_path).verdict is Verdict.FAIL


def test_what_waits_in_a_spool_is_told(tmp_path):
    spool = Spool(tmp_path / "spool" / "reco.db", max_bytes=10**7)
    settings = MeshSettings(home=tmp_path)
    assert [c.verdict for c in check_spools(settings)] == [Verdict.OK]
    spool.add([Message("interactions", b"{}")] * 3)
    (check,) = check_spools(settings)
    assert check.verdict is Verdict.WARN
    assert "3 messages wait" in check.found
    spool.close()
    (tmp_path / "spool" / "profile.db").write_bytes(b"no database" * 100)
    assert {c.name: c.verdict for c in check_spools(settings)} == {
        "spool of profile": Verdict.FAIL,
        "spool of reco": Verdict.WARN,
    }


def test_the_size_of_a_database_holds_what_still_waits_in_its_log(tmp_path):
    path = tmp_path / "catalog.db"
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA journal_mode = wal")
        database.execute("CREATE TABLE product (card BLOB)")
        database.execute("INSERT INTO product VALUES (zeroblob(3000000))")
        database.commit()
        assert path.stat().st_size < 100_000
        assert "(2.9 MiB)" in ask_database("catalog store", "RECOMESH_CATALOG_URL", f"sqlite:///{path}").place
