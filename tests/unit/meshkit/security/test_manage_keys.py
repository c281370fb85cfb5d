"""Issuing, rotating and revoking keys."""

from datetime import UTC, datetime, timedelta

import pytest

from meshkit.errors import FailedPrecondition, InvalidArgument, NotFound
from meshkit.security.audit import Audit, MemoryAuditTrail
from meshkit.security.manage_keys import ManageKeys
from meshkit.security.memory_key_store import MemoryKeyStore
from meshkit.security.roles import Role, Scope

NOW = datetime(2026, 1, 31, tzinfo=UTC)
DAY = timedelta(days=1)


class World:
    def __init__(self) -> None:
        self.now = NOW
        self.store = MemoryKeyStore()
        self.trail = MemoryAuditTrail()
        self.keys = ManageKeys(self.store, b"pepper", Audit(self.trail), lambda: self.now)


@pytest.fixture
def world() -> World:
    return World()


def test_a_successor_takes_over_while_the_old_key_still_works(world: World) -> None:
    old = world.keys.create("shop", Role.SHOP, by="a", scopes=[Scope.EVENTS_WRITE], expires_in=90 * DAY).key
    new = world.keys.rotate(old.key_id, by="b", grace=DAY).key
    assert (new.name, new.role, new.scopes) == (old.name, old.role, old.scopes)
    assert new.expires_at == NOW + 90 * DAY
    assert [key.state(NOW) for key in world.keys.list()] == ["live", "live"]
    assert [key.state(NOW + DAY) for key in world.keys.list() if key.key_id == old.key_id] == ["expired"]


def test_two_keys_of_a_name_may_live_and_no_third(world: World) -> None:
    first = world.keys.create("shop", Role.SHOP, by="a").key
    world.keys.create("shop", Role.SHOP, by="a")
    with pytest.raises(FailedPrecondition, match="2 live keys"):
        world.keys.create("shop", Role.SHOP, by="a")
    with pytest.raises(FailedPrecondition):
        world.keys.rotate(first.key_id, by="a", grace=DAY)
    world.keys.revoke(first.key_id, by="a")
    world.keys.create("shop", Role.SHOP, by="a")


def test_rotation_never_prolongs_the_old_key(world: World) -> None:
    old = world.keys.create("shop", Role.SHOP, by="a", expires_in=timedelta(hours=1)).key
    world.keys.rotate(old.key_id, by="a", grace=DAY)
    assert next(k for k in world.keys.list() if k.key_id == old.key_id).expires_at == NOW + timedelta(hours=1)


def test_an_ended_key_has_no_successor(world: World) -> None:
    old = world.keys.create("shop", Role.SHOP, by="a").key
    world.keys.revoke(old.key_id, by="a")
    with pytest.raises(FailedPrecondition, match="revoked"):
        world.keys.rotate(old.key_id, by="a", grace=DAY)
    with pytest.raises(NotFound):
        world.keys.rotate("nothing", by="a", grace=DAY)


@pytest.mark.parametrize(
    ("field", "arguments"),
    [
        ("name", {"name": "Shop One"}),
        ("name", {"name": ""}),
        ("scopes", {"scopes": [Scope.MODELS_WRITE]}),
        ("expires", {"expires_in": timedelta(0)}),
        ("expires", {"expires_in": timedelta(days=4000)}),
    ],
)
def test_what_is_wrong_with_a_new_key_is_named(world: World, field: str, arguments: dict[str, object]) -> None:
    with pytest.raises(InvalidArgument) as wrong:
        world.keys.create(**{"name": "shop", "role": Role.SHOP, "by": "a", **arguments})  # type: ignore[arg-type]
    assert [violation.field for violation in wrong.value.violations] == [field]
    assert world.store.all() == []


def test_every_change_is_in_the_audit_trail_without_a_secret(world: World) -> None:
    issued = world.keys.create("shop", Role.SHOP, by="alice")
    successor = world.keys.rotate(issued.key.key_id, by="bob", grace=DAY)
    world.keys.revoke(issued.key.key_id, by="carol")
    entries = world.trail.latest(10)
    assert [(e.actor, e.action) for e in entries] == [
        ("carol", "key.revoke"),
        ("bob", "key.rotate"),
        ("alice", "key.create"),
    ]
    for text in (issued.text, successor.text):
        assert text[16:] not in repr(entries)
        assert text not in repr(issued) + repr(successor)
