"""Connections to PostgreSQL when something else answers on its port."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg2
import pytest

from meshkit.postgres import PostgresLimits, connect_options


@contextmanager
def _answering(nonsense: bytes) -> Iterator[int]:
    """The port of a server that says `nonsense` to the first caller."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def answer() -> None:
            caller, _ = listening.accept()
            with caller:
                caller.recv(1024)
                caller.sendall(nonsense)

        server = threading.Thread(target=answer)
        server.start()
        yield listening.getsockname()[1]
        server.join()


@pytest.mark.parametrize("nonsense", [b"^", b"\xde\xad\xbe\xef", b"N\xff", b"E\x00\x00\x00\x09\xfe\xfe\xfe\xfe\x00"])
def test_nonsense_is_an_operational_error_also_when_it_is_no_text(nonsense: bytes) -> None:
    with _answering(nonsense) as port, pytest.raises(psycopg2.OperationalError):
        psycopg2.connect(f"postgresql://somebody@127.0.0.1:{port}/shop", **connect_options(PostgresLimits(connect_s=5)))
