"""The gate of a process: who calls, from what was presented. Every guard, for gRPC and for HTTP, asks it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol
from urllib.parse import unquote

from meshkit import metrics
from meshkit.errors import PermissionDenied, Unauthenticated
from meshkit.security.api_keys import PREFIX
from meshkit.security.audit import Audit
from meshkit.security.caller import METADATA_KEY, Caller, anonymous, from_wire
from meshkit.security.key_ring import KeyRing
from meshkit.security.manage_keys import ManageKeys
from meshkit.security.roles import ROLE_SCOPES, Role, role_named
from meshkit.security.sessions import MemorySessionStore, SessionStore
from meshkit.security.tls import TlsFiles

MAX_CREDENTIAL_BYTES = 8 * 1024
CERTIFICATE_PREFIX = "spiffe://recomesh/"
LOOPBACK = Caller("loopback", Role.OPERATOR, ROLE_SCOPES[Role.OPERATOR], speaks_for_others=True)
_NOBODY = anonymous(None)


class Tokens(Protocol):
    """`tokens.TokenVerifier`."""

    def known(self, token: str) -> Caller | None:
        """The caller of a token that was verified a moment ago."""
        ...

    async def caller_of(self, token: str) -> Caller:
        """The caller of a token. Unauthenticated, Unavailable."""
        ...


@dataclass(frozen=True, slots=True)
class Peer:
    """The other end of a gRPC call: its address as gRPC writes it, the URIs and names of its certificate."""

    address: str
    certificate_names: Iterable[bytes] = ()


class Gate:
    """Who calls. `keys`, `audit` and `sessions` are for the admin planes.

    `visitor`: whoever comes to HTTP without credentials; None closes that. `trust_loopback`: a gRPC peer without
    credentials on this machine is its operator. `tls`: what the process serves with.
    """

    def __init__(
        self,
        ring: KeyRing,
        keys: ManageKeys,
        audit: Audit,
        *,
        tokens: Tokens | None,
        visitor: Role | None,
        trust_loopback: bool,
        tls: TlsFiles | None = None,
        sessions: SessionStore | None = None,
    ) -> None:
        self.audit = audit
        self.sessions = sessions or MemorySessionStore()
        self.keys = keys
        self.tls = tls
        self.visitor = anonymous(visitor)
        self._ring = ring
        self._tokens = tokens
        self._trust_loopback = trust_loopback

    def known(self, credential: str) -> Caller | None:
        """The caller of an API key or of a token verified a moment ago; None: `caller_of` must be awaited.

        Unauthenticated for a bad key.
        """
        if credential.startswith(PREFIX):
            return self._ring.caller_of(credential)
        return self._tokens.known(credential) if self._tokens else None

    def holder(self, key_id: str) -> Caller | None:
        """The caller of a key that is live now."""
        return self._ring.holder(key_id)

    async def caller_of(self, credential: str) -> Caller:
        """The caller of an API key or token. Unauthenticated; Unavailable if it can not be checked now."""
        if len(credential) > MAX_CREDENTIAL_BYTES:
            raise bad_credential("oversized")
        known = self.known(credential)
        if known is not None:
            return known
        if self._tokens is None:
            raise bad_credential("unknown_kind")
        return await self._tokens.caller_of(credential)

    async def rpc_caller(self, peer: Peer, authorization: str, stated: str | None) -> Caller:
        """The caller of a gRPC call: by its credentials, its certificate, or as a neighbour on this machine.

        `stated` is what the peer says about the caller it works for; only a service may say so, and the call has no
        more rights than both.
        """
        own = await self._peer(peer, authorization)
        if stated is None:
            return own
        if not own.speaks_for_others:
            raise PermissionDenied(f"{own.subject} may not send {METADATA_KEY}", reason="CALLER_NOT_TRUSTED")
        return _on_behalf(own, stated)

    async def _peer(self, peer: Peer, authorization: str) -> Caller:
        if authorization:
            return await self.caller_of(bearer(authorization))
        for name in peer.certificate_names:
            if found := certificate_caller(name.decode("latin-1")):
                return found
        if self._trust_loopback and is_loopback(peer.address):
            return LOOPBACK
        return _NOBODY


def bearer(authorization: str) -> str:
    """The credential in an Authorization header. Unauthenticated for any scheme but Bearer."""
    scheme, _, credential = authorization.partition(" ")
    if scheme.lower() != "bearer" or not credential.strip():
        raise bad_credential("scheme")
    return credential.strip()


def bad_credential(why: str) -> Unauthenticated:
    """The answer to what is neither key nor token."""
    metrics.BAD_CREDENTIALS_TOTAL.labels("other", why).inc()
    return Unauthenticated("send `Authorization: Bearer` with an API key (rk_…)", reason="CREDENTIALS_INVALID")


def certificate_caller(uri: str) -> Caller | None:
    """The caller of spiffe://recomesh/<role>/<name> in a certificate of our CA; None for any other name."""
    word, _, name = uri.removeprefix(CERTIFICATE_PREFIX).partition("/")
    role = role_named(word)
    if not uri.startswith(CERTIFICATE_PREFIX) or not name or role is None:
        return None
    try:
        return Caller.of(f"cert:{name}", role)
    except ValueError:
        return None


def is_loopback(address: str) -> bool:
    """True for a peer on this machine: "ipv4:127.0.0.1:4711", "ipv6:[::1]:4711", "unix:…"."""
    kind, _, rest = unquote(address).partition(":")
    if kind == "ipv4":
        return rest.startswith("127.")
    return kind == "unix" or (kind == "ipv6" and rest.startswith(("[::1]:", "[::ffff:127.")))


@lru_cache(maxsize=4096)
def _on_behalf(own: Caller, stated: str) -> Caller:
    return own.speaking_for(from_wire(stated))
