"""What was published survives its publisher, and what was lent survives its borrower."""

import subprocess
import sys
from pathlib import Path

from meshkit.broker.port import Message
from meshkit.broker.sqlite_broker import SqliteBroker

PUBLISHER = """
import sys
from pathlib import Path
from meshkit.broker.port import Message
from meshkit.broker.sqlite_broker import SqliteBroker
broker = SqliteBroker(Path(sys.argv[1]))
for number in range(10**9):
    broker.publish([Message("interactions", f"{sys.argv[2]}-{number}".encode())])
    print(number, flush=True)
"""
BORROWER = """
import sys
from pathlib import Path
from meshkit.broker.port import Message
from meshkit.broker.sqlite_broker import SqliteBroker
broker = SqliteBroker(Path(sys.argv[1]))
print(len(broker.receive("interactions", limit=10, wait_s=10)), flush=True)
sys.stdin.read()
"""
FILLER = """
import resource, signal, sys
from pathlib import Path
from meshkit.broker.port import Message
from meshkit.broker.sqlite_broker import SqliteBroker
from meshkit.errors import Unavailable
broker = SqliteBroker(Path(sys.argv[1]))
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, -1))  # no file may grow beyond this: a small disk
confirmed = 0
try:
    while True:
        broker.publish([Message("interactions", f"{confirmed:1000}".encode())])
        confirmed += 1
except Unavailable:
    print(confirmed)
"""


def test_every_message_whose_publish_returned_survives_a_kill(tmp_path: Path) -> None:
    path = tmp_path / "queue.db"
    confirmed: set[bytes] = set()
    for life in range(5):
        command = [sys.executable, "-c", PUBLISHER, str(path), str(life)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as publisher:
            assert publisher.stdout is not None
            for line in publisher.stdout:
                confirmed.add(f"{life}-{line.strip()}".encode())
                if int(line) == 40 + 7 * life:
                    publisher.kill()
                    break
            for line in publisher.stdout:  # confirmed before the kill, still in the pipe
                if line.endswith("\n"):
                    confirmed.add(f"{life}-{line.strip()}".encode())
    broker = SqliteBroker(path)
    stored = [d.message.body for d in broker.receive("interactions", limit=100_000, wait_s=0)]
    broker.close()
    assert confirmed <= set(stored)
    assert len(stored) == len(set(stored))


def test_messages_lent_to_a_killed_process_come_back_at_once(tmp_path: Path) -> None:
    path = tmp_path / "queue.db"
    broker = SqliteBroker(path)
    broker.publish([Message("interactions", b"a"), Message("interactions", b"b")])
    command = [sys.executable, "-c", BORROWER, str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True) as borrower:
        assert borrower.stdout is not None
        assert borrower.stdout.readline().strip() == "2"
        assert broker.receive("interactions", limit=10, wait_s=0) == []
        borrower.kill()
    deliveries = broker.receive("interactions", limit=10, wait_s=10)
    assert [(d.message.body, d.attempt) for d in deliveries] == [(b"a", 2), (b"b", 2)]
    broker.close()


def test_what_does_not_fit_on_the_disk_is_refused_and_what_was_confirmed_stays(tmp_path: Path) -> None:
    path = tmp_path / "queue.db"
    command = [sys.executable, "-c", FILLER, str(path)]
    confirmed = int(subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout)
    broker = SqliteBroker(path)
    stored = [int(d.message.body.strip()) for d in broker.receive("interactions", limit=100_000, wait_s=0)]
    broker.publish([Message("interactions", b"there is room again")])
    assert broker.depth("interactions") == confirmed + 1
    broker.close()
    assert confirmed > 10
    assert stored == list(range(confirmed))
