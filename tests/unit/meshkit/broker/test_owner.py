"""Telling living processes from dead ones and from later ones with the same number."""

import os
import signal
import subprocess
import sys

from meshkit.broker.owner import is_alive, process_name


def test_this_process_is_alive() -> None:
    assert is_alive(process_name())
    assert process_name().startswith(f"{os.getpid()}:")


def test_a_process_that_started_at_another_time_is_another() -> None:
    assert not is_alive(f"{os.getpid()}:1")


def test_nonsense_names_nobody() -> None:
    assert not any(map(is_alive, ["", ":", "x:1", "-1:1", "99999999:1"]))


def test_a_killed_process_is_dead_even_before_its_parent_noticed() -> None:
    child = subprocess.Popen([sys.executable, "-c", "print(flush=True); input()"], stdin=-1, stdout=-1)
    assert child.stdin
    assert child.stdout
    assert child.stdout.readline()
    name = process_name(child.pid)
    assert is_alive(name)
    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)  # dead, not yet buried
    assert not is_alive(name)
    assert child.wait() == -signal.SIGKILL
    assert not is_alive(name)
    child.stdin.close()
    child.stdout.close()
