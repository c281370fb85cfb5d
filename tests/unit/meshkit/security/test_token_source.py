"""Client credentials: one token for many calls, a new one in time."""

import httpx
import pytest

from meshkit.errors import Unavailable
from meshkit.security.token_source import TokenSource


class Issuer:
    def __init__(self) -> None:
        self.now = 0.0
        self.issued = 0
        self.away = False
        transport = httpx.MockTransport(self.answer)
        self.source = TokenSource("https://i/token", "edge", "s3cret", transport=transport, clock=lambda: self.now)

    def answer(self, request: httpx.Request) -> httpx.Response:
        if self.away:
            raise httpx.ConnectError("away")
        assert request.content == b"grant_type=client_credentials"
        assert request.headers["authorization"].startswith("Basic ")
        self.issued += 1
        return httpx.Response(200, json={"access_token": f"t{self.issued}", "expires_in": 100})


@pytest.fixture
def issuer() -> Issuer:
    return Issuer()


def test_a_token_serves_until_four_fifths_of_its_life(issuer: Issuer) -> None:
    assert issuer.source.token() == "t1"
    issuer.now = 79.9
    assert issuer.source.token() == "t1"
    issuer.now = 80
    assert issuer.source.token() == "t2"


def test_the_old_token_serves_to_its_end_while_the_issuer_is_away(issuer: Issuer) -> None:
    issuer.source.token()
    issuer.away = True
    issuer.now = 99
    assert issuer.source.token() == "t1"
    issuer.now = 100
    with pytest.raises(Unavailable):
        issuer.source.token()
    issuer.away = False
    issuer.now = 102
    assert issuer.source.token() == "t2"


@pytest.mark.parametrize("body", [b"no json", b"{}", b"[]", b'{"access_token": "t", "expires_in": "soon"}'])
def test_a_garbled_answer_is_no_token(body: bytes) -> None:
    source = TokenSource(
        "https://i/token", "a", "b", transport=httpx.MockTransport(lambda _: httpx.Response(200, content=body))
    )
    with pytest.raises(Unavailable):
        source.token()
