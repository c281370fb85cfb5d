"""Publishers that wait together share a transaction, and its fate."""

import threading
from collections.abc import Sequence

import pytest

from meshkit.broker.group_commit import GroupCommit
from meshkit.broker.port import Message
from meshkit.errors import Unavailable


class SlowDisk:
    """Writes when told to; remembers the sizes of its writes."""

    def __init__(self) -> None:
        self.sizes: list[int] = []
        self.go = threading.Semaphore(0)
        self.begun = threading.Event()
        self.full = False

    def write(self, messages: Sequence[Message]) -> None:
        self.begun.set()
        assert self.go.acquire(timeout=10)
        if self.full:
            raise Unavailable("queue", "disk full")
        self.sizes.append(len(messages))


def _message() -> Message:
    return Message("train", b"{}")


def _submitting(commits: GroupCommit, count: int, errors: list[Exception]) -> list[threading.Thread]:
    def submit() -> None:
        try:
            commits.submit([_message()])
        except Unavailable as error:
            errors.append(error)

    threads = [threading.Thread(target=submit) for _ in range(count)]
    for thread in threads:
        thread.start()
    return threads


def test_who_comes_while_the_disk_is_busy_shares_the_next_write() -> None:
    disk, errors = SlowDisk(), []
    commits = GroupCommit(disk.write)
    threads = _submitting(commits, 1, errors)
    assert disk.begun.wait(10)
    threads += _submitting(commits, 7, errors)
    while commits._waiting.qsize() < 7:
        threads[0].join(0.001)
    disk.go.release(2)
    for thread in threads:
        thread.join(10)
    commits.close()
    assert (disk.sizes, errors) == ([1, 7], [])


def test_a_failed_write_fails_everyone_in_it_and_nobody_after() -> None:
    disk, errors = SlowDisk(), []
    commits = GroupCommit(disk.write)
    disk.full = True
    threads = _submitting(commits, 3, errors)
    disk.go.release(3)
    for thread in threads:
        thread.join(10)
    assert [str(e) for e in errors] == ["disk full"] * 3
    while disk.go.acquire(blocking=False):  # groups may have been smaller than three writes
        pass
    disk.full = False
    disk.go.release()
    commits.submit([_message()])
    commits.close()
    assert disk.sizes == [1]


def test_closing_writes_what_waits_and_refuses_the_rest() -> None:
    disk, errors = SlowDisk(), []
    commits = GroupCommit(disk.write)
    threads = _submitting(commits, 1, errors)
    assert disk.begun.wait(10)
    disk.go.release(2)
    commits.close()
    threads[0].join(10)
    assert errors == []
    with pytest.raises(Unavailable, match="closed"):
        commits.submit([_message()])
