"""A WSGI plane over a real socket: it serves, finishes what runs, and leaves nothing behind."""

import asyncio
import socket
import threading
from collections.abc import Callable, Iterable
from typing import Any

import httpx
import pytest

from bench.ports import free_ports
from meshkit.errors import SettingsInvalid
from meshkit.web.planes import serve_wsgi


def _hello(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"hello"]


async def test_a_plane_answers_and_can_be_opened_again_on_its_port() -> None:
    port = free_ports(1)[0]
    for _ in range(2):
        async with serve_wsgi(_hello, "127.0.0.1", port), httpx.AsyncClient() as client:
            assert (await client.get(f"http://127.0.0.1:{port}/")).text == "hello"
    assert [t.name for t in threading.enumerate() if t.name == f"wsgi-{port}"] == []
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0


async def test_a_request_at_work_is_finished_before_the_plane_closes() -> None:
    port = free_ports(1)[0]
    entered, go_on = threading.Event(), threading.Event()

    def slow(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        entered.set()
        assert go_on.wait(30)
        return _hello(environ, start_response)

    async with httpx.AsyncClient(timeout=30) as client:
        async with serve_wsgi(slow, "127.0.0.1", port):
            asking = asyncio.create_task(client.get(f"http://127.0.0.1:{port}/"))
            assert await asyncio.to_thread(entered.wait, 30)
            asyncio.get_running_loop().call_later(0.2, go_on.set)
        assert (await asking).text == "hello"


async def test_a_request_that_never_ends_does_not_hold_up_the_stop() -> None:
    port = free_ports(1)[0]
    entered, go_on = threading.Event(), threading.Event()

    def stuck(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        entered.set()
        go_on.wait(30)
        return _hello(environ, start_response)

    async with httpx.AsyncClient(timeout=30) as client:
        async with serve_wsgi(stuck, "127.0.0.1", port, drain_s=0.1):
            asking = asyncio.create_task(client.get(f"http://127.0.0.1:{port}/"))
            assert await asyncio.to_thread(entered.wait, 30)
        go_on.set()
        with pytest.raises(httpx.TransportError):
            await asking


async def test_a_request_that_gives_two_lengths_is_refused_and_nothing_after_it_is_read() -> None:
    port = free_ports(1)[0]
    sent = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
    async with serve_wsgi(_hello, "127.0.0.1", port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(sent + b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        answer = await asyncio.wait_for(reader.read(), 10)
        writer.close()
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert answer.count(b"HTTP/1.1") == 1


async def test_a_port_that_is_taken_is_named() -> None:
    port = free_ports(1)[0]
    async with serve_wsgi(_hello, "127.0.0.1", port):
        with pytest.raises(SettingsInvalid, match=f"127.0.0.1:{port}"):
            async with serve_wsgi(_hello, "127.0.0.1", port):
                pass
