"""Keys as a serving process knows them."""

import hmac
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

import pytest

from meshkit.errors import Unauthenticated, Unavailable
from meshkit.security import key_ring
from meshkit.security.api_keys import StoredKey
from meshkit.security.audit import Audit, MemoryAuditTrail
from meshkit.security.key_ring import FLUSH_S, KeyRing
from meshkit.security.manage_keys import ManageKeys
from meshkit.security.memory_key_store import MemoryKeyStore
from meshkit.security.roles import Role

PEPPER = b"salt and more"


class FlakyStore(MemoryKeyStore):
    """Counts reads; away when told so."""

    away = False
    reads = 0

    def revision(self) -> int:
        if self.away:
            raise Unavailable("keys")
        return super().revision()

    def all(self) -> Sequence[StoredKey]:
        self.reads += 1
        return super().all()

    def touch(self, used: Mapping[str, datetime]) -> None:
        if self.away:
            raise Unavailable("keys")
        super().touch(used)


class World:
    def __init__(self) -> None:
        self.now = datetime(2026, 1, 31, tzinfo=UTC).timestamp()
        self.store = FlakyStore()
        self.manage = ManageKeys(self.store, PEPPER, Audit(MemoryAuditTrail()), self.moment)
        self.ring = KeyRing(self.store, lambda: PEPPER, wall_clock=lambda: self.now, clock=lambda: self.now)

    def moment(self) -> datetime:
        return datetime.fromtimestamp(self.now, UTC)


@pytest.fixture
def world() -> World:
    return World()


def test_a_key_opens_what_its_role_opens(world: World) -> None:
    issued = world.manage.create("shop", Role.SHOP, by="test")
    world.ring.refresh()
    for _ in range(2):
        caller = world.ring.caller_of(issued.text)
        assert (caller.subject, caller.role) == (f"key:{issued.key.key_id}", Role.SHOP)


def test_every_bad_key_gets_the_same_answer(world: World) -> None:
    issued = world.manage.create("shop", Role.SHOP, by="test", expires_in=timedelta(hours=1))
    gone = world.manage.create("gone", Role.SHOP, by="test")
    world.manage.revoke(gone.key.key_id, by="test")
    stranger = ManageKeys(MemoryKeyStore(), b"other", Audit(MemoryAuditTrail())).create("x", Role.SHOP, by="test")
    world.ring.refresh()
    world.ring.caller_of(issued.text)
    world.now += 3600
    said = set()
    for text in (issued.text, gone.text, stranger.text, issued.text[:-1] + "_", "rk_", ""):
        with pytest.raises(Unauthenticated) as refused:
            world.ring.caller_of(text)
        said.add((refused.value.message, refused.value.reason))
    assert len(said) == 1


def test_an_unknown_id_costs_the_same_comparison_as_a_wrong_secret(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared, really = [], hmac.compare_digest

    def compare(a: bytes, b: bytes) -> bool:
        compared.append((len(a), len(b)))
        return really(a, b)

    monkeypatch.setattr(key_ring.hmac, "compare_digest", compare)
    stranger = ManageKeys(MemoryKeyStore(), PEPPER, Audit(MemoryAuditTrail())).create("x", Role.SHOP, by="test")
    world.ring.refresh()
    with pytest.raises(Unauthenticated):
        world.ring.caller_of(stranger.text)
    assert compared == [(32, 32)]


def test_a_revoked_key_is_refused_after_the_next_refresh_even_if_it_was_just_used(world: World) -> None:
    issued = world.manage.create("shop", Role.SHOP, by="test")
    world.ring.refresh()
    world.ring.caller_of(issued.text)
    world.manage.revoke(issued.key.key_id, by="test")
    world.ring.refresh()
    with pytest.raises(Unauthenticated):
        world.ring.caller_of(issued.text)


def test_keys_are_read_again_only_when_they_changed(world: World) -> None:
    for _ in range(3):
        world.ring.refresh()
    assert world.store.reads == 1
    world.manage.create("shop", Role.SHOP, by="test")
    world.ring.refresh()
    assert world.store.reads == 2


def test_the_last_known_keys_hold_while_the_store_is_away(world: World) -> None:
    issued = world.manage.create("shop", Role.SHOP, by="test")
    world.ring.refresh()
    world.store.away = True
    world.now += 50
    with pytest.raises(Unavailable):
        world.ring.refresh()
    assert world.ring.caller_of(issued.text).role is Role.SHOP
    assert world.ring.age_s == 50


def test_before_the_first_reading_nobody_is_called_a_stranger(world: World) -> None:
    issued = world.manage.create("shop", Role.SHOP, by="test")
    with pytest.raises(Unavailable):
        world.ring.caller_of(issued.text)


def test_the_time_of_use_reaches_the_store_in_one_write(world: World) -> None:
    issued = world.manage.create("shop", Role.SHOP, by="test")
    world.ring.refresh()
    world.now += FLUSH_S
    for _ in range(3):
        world.ring.caller_of(issued.text)
    world.ring.refresh()
    assert world.store.all()[0].last_used_at == world.moment()
