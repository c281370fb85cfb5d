"""Who calls: the edge's client, an operator with grpcurl, another process of the mesh."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache

from meshkit.errors import PermissionDenied, Unauthenticated
from meshkit.security.roles import ROLE_SCOPES, Role, Scope

METADATA_KEY = "x-recomesh-caller"
MAX_WIRE_LENGTH = 1_000
_SUBJECT = re.compile(r"[A-Za-z0-9:._@/-]{1,200}\Z")


@dataclass(frozen=True, slots=True)
class Caller:
    """`subject` names the caller in logs ("anonymous", "key:k3v9…", "jwt:…", "cert:edge"), never with a secret.

    `scopes` is what counts; `role` says what kind of caller it is. `speaks_for_others`: what it says in the metadata
    about the originating caller is believed.
    """

    subject: str
    role: Role
    scopes: frozenset[Scope]
    speaks_for_others: bool = False
    wire: str = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not _SUBJECT.match(self.subject):
            raise ValueError(f"a subject is 1 to 200 of A-Z a-z 0-9 : . _ @ / -, not {self.subject!r}")
        object.__setattr__(self, "wire", f"{self.subject} {self.role.value} {','.join(sorted(self.scopes))}")

    @classmethod
    def of(cls, subject: str, role: Role, *, only: Iterable[Scope] = ()) -> Caller:
        """A caller of a role; `only`, if not empty, narrows its scopes."""
        narrowed = frozenset(only)
        scopes = ROLE_SCOPES[role]
        return cls(subject, role, scopes & narrowed if narrowed else scopes, role is Role.SERVICE and not narrowed)

    @property
    def is_anonymous(self) -> bool:
        """True without credentials."""
        return self.subject == ANONYMOUS

    def require(self, needed: Scope) -> None:
        """Unauthenticated if credentials could help, PermissionDenied if these do not suffice."""
        if needed in self.scopes:
            return
        if self.is_anonymous:
            raise Unauthenticated(
                f"this needs a key with the scope {needed}; send it as `Authorization: Bearer rk_…`",
                reason="CREDENTIALS_REQUIRED",
            )
        raise PermissionDenied(f"{self.subject} lacks the scope {needed}", reason="SCOPE_MISSING")

    def speaking_for(self, originator: Caller) -> Caller:
        """The caller on whose behalf this one calls, with no more rights than both have."""
        return Caller(originator.subject, originator.role, originator.scopes & self.scopes)


ANONYMOUS = "anonymous"


def anonymous(role: Role | None) -> Caller:
    """A caller without credentials; None: it may do nothing."""
    return Caller(ANONYMOUS, role or Role.PUBLIC, ROLE_SCOPES[role] if role else frozenset())


def together(callers: Iterable[Caller | None]) -> Caller | None:
    """The caller of a call that several share: the rights that all of them have. None: the process itself.

    A None among them does not widen the rest.
    """
    distinct = {caller for caller in callers if caller is not None}
    if len(distinct) <= 1:
        return next(iter(distinct), None)
    scopes = frozenset.intersection(*(caller.scopes for caller in distinct))
    roles = {caller.role for caller in distinct}
    return Caller("several", roles.pop() if len(roles) == 1 else Role.PUBLIC, scopes)


@lru_cache(maxsize=4096)
def from_wire(text: str) -> Caller:
    """The caller in the metadata of a call. Unauthenticated if it is malformed."""
    subject, _, rest = text.partition(" ")
    role, _, scopes = rest.partition(" ")
    try:
        if len(text) > MAX_WIRE_LENGTH:
            raise ValueError(text[:20])
        return Caller(subject, Role(role), frozenset(Scope(s) for s in scopes.split(",") if s))
    except ValueError:
        raise Unauthenticated(f"the metadata {METADATA_KEY} is malformed", reason="CALLER_MALFORMED") from None
