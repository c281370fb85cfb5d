"""What is written in one turn of the loop is sent at once, in order, and before the end."""

from __future__ import annotations

import asyncio

import pytest

from meshkit.web.joined_writes import JoinedWrites


class Transport(asyncio.Transport):
    """Keeps what was done to it."""

    def __init__(self) -> None:
        super().__init__()
        self.done: list[bytes] = []

    def write(self, data) -> None:
        self.done.append(bytes(data))

    def close(self) -> None:
        self.done.append(b"closed")

    def is_closing(self) -> bool:
        return b"closed" in self.done


@pytest.fixture
def transport() -> Transport:
    return Transport()


@pytest.fixture
async def joined(transport: Transport) -> JoinedWrites:
    return JoinedWrites(transport, asyncio.get_running_loop())


async def test_the_writes_of_a_turn_are_one(joined, transport):
    joined.write(b"head")
    joined.write(b"body")
    assert transport.done == []
    await asyncio.sleep(0)
    joined.write(b"next")
    await asyncio.sleep(0)
    assert transport.done == [b"headbody", b"next"]


async def test_what_waits_is_sent_before_what_can_not_wait_and_before_the_end(joined, transport):
    joined.write(b"one")
    joined.write_now(b"two")
    joined.write(b"three")
    joined.close()
    await asyncio.sleep(0)
    assert transport.done == [b"one", b"two", b"three", b"closed"]
    assert joined.is_closing()


async def test_nothing_is_sent_to_a_client_who_went_away(joined, transport):
    joined.write(b"late")
    transport.close()
    await asyncio.sleep(0)
    assert transport.done == [b"closed"]
