"""`recomesh up` with its five real processes."""

import json
import signal
import subprocess
import sys
import time

import psutil
import pytest

from recomesh_cli.mesh.processes import PROCESSES
from tests.support.processes import private_env, running, wait_until

START_S = 240.0


def recomesh(env, cwd, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "recomesh_cli", *arguments]
    return subprocess.run(command, env=env, cwd=cwd, capture_output=True, timeout=120, check=False)


def wait_ready(supervisor, log, times: int = 1) -> None:
    def ready() -> bool:
        text = log.read_text()
        assert supervisor.poll() is None, text[-3000:]
        return text.count('"event":"mesh_ready"') == times

    wait_until(ready, within_s=START_S, what="mesh_ready")


def gone(process: psutil.Process) -> bool:
    return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE


def child(supervisor, module: str) -> psutil.Process | None:
    for process in psutil.Process(supervisor.pid).children(recursive=True):
        try:
            if process.cmdline()[1:3] == ["-m", module]:
                return process
        except psutil.Error:
            continue
    return None


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("up")


@pytest.fixture(scope="module")
def env(place):
    return private_env(place / "home")


@pytest.fixture(scope="module")
def mesh(place, env):
    log = place / "up.log"
    with running("recomesh_cli", "up", "--no-demo", env=env, log=log) as supervisor:
        wait_ready(supervisor, log)
        yield supervisor


def test_all_five_run_and_are_ready(mesh, env, place):
    assert all(child(mesh, process.module) for process in PROCESSES)
    answer = recomesh(env, place, "status", "--json")
    told = json.loads(answer.stdout)
    assert (answer.returncode, told["healthy"]) == (0, True)
    assert {p["name"] for p in told["processes"]} == {p.name for p in PROCESSES}
    assert set(told["queue"]) == {"interactions", "product_changed", "visitor_erased", "train"}
    assert told["catalog"]["products"] == 0


def test_an_empty_mesh_answers_without_error(mesh, env, place):
    assert b"No product fits" in recomesh(env, place, "recommend").stdout
    assert b"not in the catalog" in recomesh(env, place, "similar", "x").stderr


def test_imported_products_are_recommended(mesh, env, place):
    file = place / "products.jsonl"
    file.write_text("".join(json.dumps({"product_id": f"p{n}", "title": f"Mug {n}"}) + "\n" for n in range(20)))
    assert recomesh(env, place, "import", "products", str(file)).returncode == 0

    def seen() -> bool:
        told = json.loads(recomesh(env, place, "similar", "p1", "--limit", "5", "--json").stdout or "{}")
        return len(told.get("items", [])) == 5

    wait_until(seen, within_s=20)


def test_doctor_takes_the_running_mesh_for_what_it_is(mesh, env, place):
    answer = recomesh(env, place, "doctor", "--json")
    checks = {c["name"]: c for c in json.loads(answer.stdout)["checks"]}
    assert "held by a running mesh" in checks["ports"]["found"]
    assert checks["process reco"]["verdict"] == "ok"


def test_a_second_up_in_the_same_home_is_refused(mesh, env, place):
    answer = recomesh(env, place, "up", "--no-demo")
    assert answer.returncode == 1
    assert f"process {mesh.pid}" in answer.stderr.decode()


@pytest.mark.parametrize("module", ["edge", "profile_svc"])
def test_a_killed_process_comes_back(mesh, env, place, module):
    before = child(mesh, module)
    before.kill()
    wait_until(lambda: (now := child(mesh, module)) and now.pid != before.pid)
    wait_until(lambda: recomesh(env, place, "status").returncode == 0, within_s=60)


def test_sigterm_stops_everything_and_leaves_no_process(tmp_path):
    env, log = private_env(tmp_path / "home"), tmp_path / "up.log"
    with running("recomesh_cli", "up", "--no-demo", env=env, log=log) as supervisor:
        wait_ready(supervisor, log)
        children = psutil.Process(supervisor.pid).children(recursive=True)
        supervisor.send_signal(signal.SIGTERM)
        assert supervisor.wait(40) == 0
        assert [c for c in children if not gone(c)] == []


def test_a_killed_supervisor_leaves_no_orphan(tmp_path):
    env, log = private_env(tmp_path / "home"), tmp_path / "up.log"
    with running("recomesh_cli", "up", "--no-demo", env=env, log=log) as supervisor:
        wait_ready(supervisor, log)
        children = psutil.Process(supervisor.pid).children(recursive=True)
        assert len(children) >= len(PROCESSES)
        supervisor.kill()
        supervisor.wait(5)
        wait_until(lambda: all(map(gone, children)), within_s=30)


def test_the_demo_shop_is_loaded_once_and_answers_soon_after_a_second_start(tmp_path):
    env, log = private_env(tmp_path / "home"), tmp_path / "up.log"
    with running("recomesh_cli", "up", env=env, log=log) as supervisor:
        wait_ready(supervisor, log)
        first = json.loads(recomesh(env, tmp_path, "recommend", "--json").stdout)
        assert len(first["items"]) == 10
        assert first["model_version"]
    with running("recomesh_cli", "up", env=env, log=log) as supervisor:
        began = time.monotonic()
        wait_ready(supervisor, log, times=2)
        again = json.loads(recomesh(env, tmp_path, "recommend", "--json").stdout)
        assert again["model_version"] == first["model_version"]
        assert time.monotonic() - began < 60  # 10 s on an idle machine; this one runs other tests
    assert log.read_text().count('"event":"demo_shop_loaded"') == 1
