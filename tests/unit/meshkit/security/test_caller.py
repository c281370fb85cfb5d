"""Callers: rights, how they travel, how they combine."""

import pytest

from meshkit.errors import PermissionDenied, Unauthenticated
from meshkit.security.caller import Caller, anonymous, from_wire, together
from meshkit.security.roles import ROLE_SCOPES, Role, Scope

SHOP = Caller.of("key:shop", Role.SHOP)
MERCHANDISER = Caller.of("key:m", Role.MERCHANDISER)


@pytest.mark.parametrize(
    "caller", [SHOP, anonymous(None), Caller.of("jwt:a@b", Role.SERVICE, only=[Scope.EVENTS_WRITE])]
)
def test_a_caller_survives_the_wire_without_the_right_to_speak_for_others(caller: Caller) -> None:
    again = from_wire(caller.wire)
    assert (again.subject, again.role, again.scopes) == (caller.subject, caller.role, caller.scopes)
    assert not again.speaks_for_others


@pytest.mark.parametrize(
    "text", ["", "a", "a shop", "a boss x", "a shop flying:high", "a\tb shop ", "ü shop ", "a shop " + "x" * 1000]
)
def test_a_malformed_caller_is_refused(text: str) -> None:
    if text == "a shop":
        assert from_wire(text).scopes == frozenset()
        return
    with pytest.raises(Unauthenticated):
        from_wire(text)


def test_a_stranger_is_asked_for_a_key_and_a_known_caller_is_told_what_lacks() -> None:
    SHOP.require(Scope.EVENTS_WRITE)
    with pytest.raises(PermissionDenied, match="models:write"):
        SHOP.require(Scope.MODELS_WRITE)
    with pytest.raises(Unauthenticated, match="events:write"):
        anonymous(Role.PUBLIC).require(Scope.EVENTS_WRITE)


def test_speaking_for_somebody_gives_no_more_rights_than_both_have() -> None:
    service = Caller.of("cert:edge", Role.SERVICE)
    forged = Caller.of("key:x", Role.OPERATOR)
    both = service.speaking_for(forged)
    assert both.subject == "key:x"
    assert both.scopes == ROLE_SCOPES[Role.SERVICE]
    assert Scope.KEYS_MANAGE not in both.scopes
    assert not both.speaks_for_others


def test_a_narrowed_service_does_not_speak_for_others() -> None:
    assert Caller.of("key:s", Role.SERVICE).speaks_for_others
    assert not Caller.of("key:s", Role.SERVICE, only=[Scope.EVENTS_WRITE]).speaks_for_others


def test_a_shared_call_has_the_rights_that_all_of_its_callers_have() -> None:
    assert together([]) is None
    assert together([None, None]) is None
    assert together([SHOP, SHOP]) == SHOP
    shared = together([SHOP, None, MERCHANDISER])
    assert shared is not None
    assert shared.scopes == SHOP.scopes & MERCHANDISER.scopes
    assert (shared.subject, shared.role) == ("several", Role.PUBLIC)
