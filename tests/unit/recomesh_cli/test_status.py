import json

from recomesh_cli.checks.model import Backend, Verdict
from recomesh_cli.commands import status
from recomesh_cli.mesh.processes import PROCESSES
from recomesh_cli.mesh.readiness import ProcessState


def found(*, ready: bool) -> status.MeshStatus:
    states = [ProcessState(p, True, ready, {"store": "ok" if ready else "starting"}) for p in PROCESSES]
    return status.MeshStatus(
        states,
        {"products": 1234},
        {"version": "m7", "created_at": "2026-03-01T12:00:00Z", "embedder": "minilm"},
        [{"name": "catalog", "age_s": 0.3, "note": ""}, {"name": "model", "age_s": None, "note": "none"}],
        [
            {"source": "popular", "ready": True, "has": 900, "needs": 10, "unit": "products", "stand_in": ""},
            {
                "source": "session",
                "ready": False,
                "has": 37,
                "needs": 100,
                "unit": "sessions",
                "stand_in": "popular",
            },
        ],
        {"interactions": {"depth": 7, "dead_letters": 1, "oldest_s": 90.0, "last_error": None}},
        [
            Backend("queue", "RabbitMQ", "3.10.8", "amqp://mesh", 2.5)
            if ready
            else Backend("queue", "RabbitMQ", "", "amqp://mesh", verdict=Verdict.FAIL, trouble="hangs", fix="start it")
        ],
        [{"part": "reco", "method": "BatchRecommend", "circuit": "open" if not ready else "closed"}],
        [{"part": "reco", "address": f"10.0.0.{n}:1", "state": "ejected" if n else "in use"} for n in range(2)],
        [],
    )


def test_everything_is_shown(recomesh, monkeypatch):
    monkeypatch.setattr(status, "gather", lambda settings: found(ready=True))
    answer = recomesh("status")
    assert answer.exit_code == 0
    for text in (
        "1,234",
        "m7",
        "minilm",
        "interactions",
        "0.3 s",
        "1.5 min",
        "37 of 100 sessions; popular stands in",
        "2.5 ms",
    ):
        assert text in answer.stdout
    told = json.loads(recomesh("status", "--json").stdout)
    assert told["healthy"] is True
    assert told["queue"]["interactions"]["depth"] == 7
    assert told["backends"][0]["version"] == "3.10.8"


def test_a_process_that_is_not_ready_is_a_failure(recomesh, monkeypatch):
    monkeypatch.setattr(status, "gather", lambda settings: found(ready=False))
    answer = recomesh("status")
    assert answer.exit_code == 1
    assert "store: starting" in answer.stdout
    assert "hangs" in answer.stdout


def test_circuits_that_are_not_closed_and_replicas_are_shown(recomesh, monkeypatch):
    monkeypatch.setattr(status, "gather", lambda settings: found(ready=False))
    shown = recomesh("status").stdout
    assert "reco BatchRecommend" in shown
    assert "10.0.0.1:1" in shown
    assert "ejected" in shown
    told = json.loads(recomesh("status", "--json").stdout)
    assert told["circuits"][0]["circuit"] == "open"
    assert [replica["state"] for replica in told["replicas"]] == ["in use", "ejected"]
