"""Group commit: publishers that wait together share one transaction, so an fsync is paid once for all of them."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future

from meshkit.broker.port import Message
from meshkit.errors import Unavailable

MOST_IN_A_COMMIT = 5_000


class GroupCommit:
    """Runs `write(messages)` in one thread for everything that was handed in meanwhile.

    `submit` returns when its messages are durable and raises what `write` raised for the group they were in.
    """

    def __init__(self, write: Callable[[Sequence[Message]], None]) -> None:
        self._write = write
        self._waiting: queue.SimpleQueue[tuple[Sequence[Message], Future[None]] | None] = queue.SimpleQueue()
        self._closed = False
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="broker-writer", daemon=True)
        self._thread.start()

    def submit(self, messages: Sequence[Message]) -> None:
        """Blocks until the messages are durable."""
        done: Future[None] = Future()
        with self._lock:
            if self._closed:
                raise Unavailable("queue", "the queue is closed")
            self._waiting.put((messages, done))
        done.result()

    def close(self) -> None:
        """Writes what waits, then ends the thread."""
        with self._lock:
            self._closed = True
            self._waiting.put(None)
        self._thread.join()

    def _run(self) -> None:
        while (first := self._waiting.get()) is not None:
            group, last = self._group(first)
            self._commit(group)
            if last:
                return

    def _group(
        self, first: tuple[Sequence[Message], Future[None]]
    ) -> tuple[list[tuple[Sequence[Message], Future[None]]], bool]:
        group, size = [first], len(first[0])
        while size < MOST_IN_A_COMMIT:
            try:
                following = self._waiting.get_nowait()
            except queue.Empty:
                break
            if following is None:
                return group, True
            group.append(following)
            size += len(following[0])
        return group, False

    def _commit(self, group: list[tuple[Sequence[Message], Future[None]]]) -> None:
        try:
            self._write([message for messages, _ in group for message in messages])
        except Exception as error:  # noqa: BLE001  (handed to every publisher of the group)
            for _, done in group:
                done.set_exception(error)
        else:
            for _, done in group:
                done.set_result(None)
