"""What `recomesh up` promises about its processes, with one fake process in place of the five."""

import os
import re
import signal
from pathlib import Path

import psutil
import pytest

from bench.ports import free_ports
from meshkit.settings import ROOT
from tests.support.processes import private_env, running, wait_until


class Up:
    """One `up` over the fake."""

    def __init__(self, tmp_path: Path, **extra: object) -> None:
        mode = str(extra.pop("mode", ""))
        self.home = tmp_path / "home"
        self.port = free_ports(1)[0]
        self.log = tmp_path / "up.log"
        paths = os.pathsep.join([str(ROOT), str(ROOT / "gen")])
        fake = {"FAKE_PORT": str(self.port), "FAKE_MODE": mode, "PYTHONPATH": paths}
        self.env = private_env(self.home, **extra) | fake

    def running(self):
        return running("tests.support.fake_supervisor", env=self.env, log=self.log)

    def text(self) -> str:
        return self.log.read_text()

    def wait_for(self, text: str) -> None:
        wait_until(lambda: text in self.text(), what=f"{text!r} in the log")


def children_of(process) -> list[psutil.Process]:
    return psutil.Process(process.pid).children(recursive=True)


def gone(process: psutil.Process) -> bool:
    return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE


def test_it_waits_until_all_are_ready_and_sigterm_leaves_no_process(tmp_path):
    up = Up(tmp_path)
    with up.running() as process:
        up.wait_for("mesh_ready")
        children = children_of(process)
        assert len(children) == 1
        process.send_signal(signal.SIGTERM)
        assert process.wait(15) == 0
        assert all(map(gone, children))
    assert '"event":"stopped"' in up.text()


def test_ctrl_c_is_a_clean_stop_too(tmp_path):
    up = Up(tmp_path)
    with up.running() as process:
        up.wait_for("mesh_ready")
        process.send_signal(signal.SIGINT)
        assert process.wait(15) == 0


def test_a_crashed_process_is_started_again(tmp_path):
    up = Up(tmp_path)
    with up.running() as process:
        up.wait_for("mesh_ready")
        (first,) = children_of(process)
        first.kill()
        second = wait_until(lambda: next((c for c in children_of(process) if c.pid != first.pid), None))
        assert second.is_running()
        up.wait_for("was killed by SIGKILL")


def test_a_frozen_process_is_killed_and_started_again(tmp_path):
    up = Up(tmp_path)
    with up.running() as process:
        up.wait_for("mesh_ready")
        (first,) = children_of(process)
        up.wait_for("asked whether it lives")
        first.suspend()
        second = wait_until(lambda: next((c for c in children_of(process) if c.pid != first.pid), None))
        assert second.is_running()
        assert gone(first)
        assert '"event":"process_hangs"' in up.text()


def test_a_process_that_keeps_crashing_stops_everything_with_its_reason(tmp_path):
    up = Up(tmp_path, mode="crash")
    with up.running() as process:
        assert process.wait(60) == 1
    assert up.text().count('"event":"process_crashed"') == 5
    assert "Traceback: it broke" in up.text()
    assert "recomesh: fake ended with exit code 3 once too often; its log above says why" in up.text()


def test_a_process_with_wrong_settings_is_not_tried_again(tmp_path):
    up = Up(tmp_path, mode="misconfigured")
    with up.running() as process:
        assert process.wait(30) == 1
    assert "process_crashed" not in up.text()
    assert "must be better" in up.text()


def test_a_process_that_does_not_stop_is_killed(tmp_path):
    up = Up(tmp_path, mode="stubborn", drain_s=0.2)
    with up.running() as process:
        up.wait_for("mesh_ready")
        (child,) = children_of(process)
        process.send_signal(signal.SIGTERM)
        assert process.wait(15) == 0
        assert gone(child)


def test_a_second_signal_does_not_wait(tmp_path):
    up = Up(tmp_path, mode="stubborn", drain_s=60)
    with up.running() as process:
        up.wait_for("mesh_ready")
        process.send_signal(signal.SIGINT)
        up.wait_for('"event":"stopping"')
        process.send_signal(signal.SIGINT)
        assert process.wait(15) == 0


def test_what_a_process_started_goes_with_it(tmp_path):
    up = Up(tmp_path, mode="parent")
    with up.running() as process:
        up.wait_for("mesh_ready")
        up.wait_for("grandchild ")
        grandchild = psutil.Process(int(re.search(r"grandchild (\d+)", up.text())[1]))
        process.send_signal(signal.SIGTERM)
        assert process.wait(15) == 0
        assert wait_until(lambda: gone(grandchild))


@pytest.mark.parametrize("mode", ["", "stubborn"])
def test_no_process_outlives_a_supervisor_that_was_killed(tmp_path, mode):
    up = Up(tmp_path, mode=mode, drain_s=0)
    with up.running() as process:
        up.wait_for("mesh_ready")
        (child,) = children_of(process)
        process.kill()
        process.wait(5)
        wait_until(lambda: gone(child), within_s=15)


def test_a_taken_port_names_port_variable_and_holder(tmp_path):
    up = Up(tmp_path)
    with up.running():
        up.wait_for("mesh_ready")
        other = Up(tmp_path / "other")
        other.log.parent.mkdir()
        other.env["FAKE_PORT"] = up.env["FAKE_PORT"]
        with other.running() as second:
            assert second.wait(30) == 2
        (line,) = other.text().splitlines()
        assert f"port {up.port} for fake" in line
        assert "RECOMESH_FAKE_PORT" in line
        assert "tests.support.fake_process" in line


def test_two_in_one_home_are_refused(tmp_path):
    up = Up(tmp_path)
    with up.running() as process:
        up.wait_for("mesh_ready")
        other = Up(tmp_path)
        other.log = tmp_path / "other.log"
        with other.running() as second:
            assert second.wait(30) == 1
        assert f"(process {process.pid})" in other.text()
