"""A whole request that there is no room for is refused by ready bytes; any other goes the usual way."""

import asyncio
from functools import partial

import orjson
import pytest
from uvicorn import Config
from uvicorn.server import ServerState

from meshkit.resilience.admission import SHED, Admission, Priority
from meshkit.web.shedding import SheddingMiddleware
from meshkit.web.shedding_protocol import SheddingProtocol

GET = b"GET /v1/popular?limit=3 HTTP/1.1\r\nHost: edge\r\n\r\n"
POST = b"POST /v1/recommendations HTTP/1.1\r\nHost: edge\r\nContent-Length: 2\r\n\r\n{}"
CHUNKED = b"POST /v1/events HTTP/1.1\r\nHost: edge\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"
MOST = 2


class Transport(asyncio.Transport):
    """Keeps what is written."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.closed = False

    def write(self, data) -> None:
        self.written += data

    def close(self) -> None:
        self.closed = True

    def is_closing(self) -> bool:
        return self.closed

    def pause_reading(self) -> None:
        pass

    def resume_reading(self) -> None:
        pass

    def take(self) -> list[int]:
        """Statuses written since the last time."""
        written, self.written = self.written, b""
        return [int(part[:3]) for part in written.split(b"HTTP/1.1 ")[1:]]


class Shop:
    """An application that answers when it is let; `seen` are the bodies it read."""

    def __init__(self) -> None:
        self.let = asyncio.Event()
        self.seen: list[tuple[str, bytes]] = []

    async def __call__(self, scope, receive, send) -> None:
        message = await receive()
        body = message.get("body", b"")
        while message.get("more_body"):
            message = await receive()
            body += message.get("body", b"")
        self.seen.append((scope["path"], body))
        await self.let.wait()
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body", "body": b""})


@pytest.fixture
def admission() -> Admission:
    return Admission(most=MOST)


@pytest.fixture
async def shop() -> Shop:
    return Shop()


@pytest.fixture
async def connect(admission, shop):
    shedding = SheddingMiddleware(shop, admission, lambda path: Priority.ADMIN if path == "/docs" else Priority.SHOPPER)
    config = Config(
        shedding, http=partial(SheddingProtocol, shedding), lifespan="off", log_config=None, access_log=False
    )
    config.load()
    state = ServerState()

    def connected() -> tuple[SheddingProtocol, Transport]:
        protocol = config.http_protocol_class(config=config, server_state=state, app_state={})
        transport = Transport()
        protocol.connection_made(transport)
        return protocol, transport

    yield connected
    shop.let.set()
    await settle()


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


def counted(priority: str) -> float:
    return SHED.labels(priority)._value.get()


async def test_places_are_taken_as_requests_are_read_and_given_back_as_they_are_answered(connect, admission, shop):
    taken = [connect() for _ in range(MOST)]
    for protocol, _ in taken:
        protocol.data_received(GET)  # no task has run yet
    assert admission.full
    late, refused = connect()
    before = counted("shopper")
    late.data_received(POST)
    assert refused.take() == [503]
    assert counted("shopper") == before + 1
    shop.let.set()
    await settle()
    assert [transport.take() for _, transport in taken] == [[200]] * MOST
    assert not admission.full
    late.data_received(POST)
    await settle()
    assert refused.take() == [200]
    assert [path for path, _ in shop.seen] == ["/v1/popular"] * MOST + ["/v1/recommendations"]


async def test_a_refusal_is_a_problem_that_names_what_to_do(connect, admission):
    protocol, transport = connect()
    with admission.admitted(Priority.SHOPPER), admission.admitted(Priority.SHOPPER):
        protocol.data_received(GET)
    head, _, body = transport.written.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 503 Service Unavailable\r\n")
    fields = dict(line.split(b": ", 1) for line in head.split(b"\r\n")[1:])
    assert fields[b"content-type"] == b"application/problem+json"
    assert fields[b"content-length"] == str(len(body)).encode()
    assert int(fields[b"retry-after"]) >= 1
    assert fields[b"cache-control"] == b"no-store"
    assert fields[b"x-content-type-options"] == b"nosniff"
    problem = orjson.loads(body)
    assert problem["type"].endswith("/overloaded")
    assert "send it again" in problem["detail"]


@pytest.mark.parametrize("request_", [GET, POST, CHUNKED], ids=["get", "post", "chunked"])
async def test_nothing_of_a_refused_request_is_left_on_the_connection(connect, admission, shop, request_):
    protocol, transport = connect()
    with admission.admitted(Priority.SHOPPER), admission.admitted(Priority.SHOPPER):
        for _ in range(3):
            protocol.data_received(request_)
    assert transport.take() == [503, 503, 503]
    shop.let.set()
    protocol.data_received(POST)
    await settle()
    assert transport.take() == [200]
    assert shop.seen == [("/v1/recommendations", b"{}")]


@pytest.mark.parametrize("cut", [1, 20, len(POST) - 1])
async def test_a_request_in_pieces_goes_the_usual_way_and_is_refused_once(connect, admission, shop, cut):
    protocol, transport = connect()
    with admission.admitted(Priority.SHOPPER), admission.admitted(Priority.SHOPPER):
        protocol.data_received(POST[:cut])
        protocol.data_received(POST[cut:])
        await settle()
        assert transport.take() == [503]
        assert shop.seen == []
    shop.let.set()
    protocol.data_received(GET)
    await settle()
    assert transport.take() == [200]


async def test_probes_pass(connect, admission, shop):
    shop.let.set()
    protocol, transport = connect()
    with admission.admitted(Priority.SHOPPER), admission.admitted(Priority.SHOPPER):
        protocol.data_received(GET.replace(b"/v1/popular?limit=3", b"/livez"))
        await settle()
    assert transport.take() == [200]


async def test_several_at_once_are_answered_one_by_one(connect, admission, shop):
    shop.let.set()
    protocol, transport = connect()
    protocol.data_received(GET + POST + GET)
    await settle()
    assert transport.take() == [200, 200, 200]
    with admission.admitted(Priority.SHOPPER), admission.admitted(Priority.SHOPPER):
        protocol.data_received(GET + GET)
        await settle()
        assert transport.take() == [503, 503]
    assert not admission.full


async def test_developers_pages_are_refused_first(connect, admission, shop):
    shop.let.set()
    protocol, transport = connect()
    before = counted("admin")
    with admission.admitted(Priority.SHOPPER):
        protocol.data_received(GET.replace(b"/v1/popular?limit=3", b"/docs"))
        await settle()
        assert transport.take() == [503]
        protocol.data_received(GET)
        await settle()
        assert transport.take() == [200]
    assert counted("admin") > before


async def test_head_has_no_body_and_a_last_request_closes(connect, admission):
    with admission.admitted(Priority.SHOPPER), admission.admitted(Priority.SHOPPER):
        protocol, transport = connect()
        protocol.data_received(GET.replace(b"GET", b"HEAD"))
        await settle()
        assert transport.written.endswith(b"\r\n\r\n")
        protocol, transport = connect()
        protocol.data_received(GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
        await settle()
        assert transport.take() == [503]
        assert transport.closed


async def test_garbage_is_no_request(connect, admission):
    protocol, transport = connect()
    with admission.admitted(Priority.SHOPPER), admission.admitted(Priority.SHOPPER):
        protocol.data_received(b"\x16\x03\x01 nonsense\r\n\r\n")
    assert transport.take() == [400]
    assert transport.closed


async def test_a_connection_that_is_only_refused_stays_open_until_it_is_quiet(connect, admission):
    protocol, transport = connect()
    protocol.timeout_keep_alive = 0.05
    with admission.admitted(Priority.SHOPPER), admission.admitted(Priority.SHOPPER):
        for _ in range(5):
            protocol.data_received(GET)
            await asyncio.sleep(0.02)
        assert not transport.closed
        await asyncio.sleep(0.15)
    assert transport.closed
