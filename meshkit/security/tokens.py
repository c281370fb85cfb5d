"""Bearer tokens (RFC 9068 access tokens) of one issuer, checked against its JWKS.

One asymmetric algorithm, chosen here and never by the token; typ at+jwt; exp, iat, iss, aud and sub required; leeway
30 s. The role stands in the claim `recomesh_role`, the scopes in `scope`: a role narrowed by scopes, or scopes alone.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any

import jwt

from meshkit import metrics
from meshkit.errors import Unauthenticated
from meshkit.security.caller import Caller
from meshkit.security.jwks import Jwks
from meshkit.security.roles import ROLE_SCOPES, Role, Scope, role_named

LEEWAY_S = 30
MAX_TOKEN_CHARACTERS = 8 * 1024
KEPT_S = 30.0
MAX_KEPT = 10_000
REQUIRED = ["exp", "iat", "iss", "aud", "sub"]
_FORM = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
_KID = re.compile(r"[A-Za-z0-9._~=+-]{1,128}")
_SCOPES = {scope.value: scope for scope in Scope}


class TokenVerifier:
    """The caller of a token. What was verified is remembered for 30 s, by a keyed hash and never past its expiry."""

    def __init__(
        self,
        jwks: Jwks,
        *,
        issuer: str,
        audience: str,
        algorithm: str,
        clock: Callable[[], float] = time.monotonic,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        self._jwks = jwks
        self._issuer = issuer
        self._audience = audience
        self._algorithm = algorithm
        self._clock = clock
        self._wall_clock = wall_clock
        self._hash_key = secrets.token_bytes(32)
        self._kept: OrderedDict[bytes, tuple[float, Caller]] = OrderedDict()

    def known(self, token: str) -> Caller | None:
        """The caller of a token that was verified within the last 30 s."""
        kept = self._kept.get(self._fingerprint(token))
        return kept[1] if kept is not None and kept[0] > self._clock() else None

    async def caller_of(self, token: str) -> Caller:
        """The caller. Unauthenticated, in the same words whatever is wrong; Unavailable without the issuer's keys."""
        kid = self._kid(token)
        key = await self._jwks.key(kid)
        if key is None:
            raise _refused("unknown_kid")
        try:
            claims = jwt.decode(
                token,
                key,
                algorithms=[self._algorithm],
                issuer=self._issuer,
                audience=self._audience,
                leeway=LEEWAY_S,
                options={"require": REQUIRED, "strict_aud": False, "verify_iat": True},
            )
            caller, ends_s = _caller(claims), float(claims["exp"]) + LEEWAY_S
        except jwt.PyJWTError as error:
            raise _refused(type(error).__name__) from None
        except (ValueError, OverflowError):
            raise _refused("claims") from None
        self._keep(token, caller, ends_s - self._wall_clock())
        return caller

    def _kid(self, token: str) -> str:
        if len(token) > MAX_TOKEN_CHARACTERS:
            raise _refused("oversized")
        if not _FORM.fullmatch(token):
            raise _refused("malformed")
        try:
            header = jwt.get_unverified_header(token)
        except jwt.PyJWTError:
            raise _refused("malformed") from None
        kid, typ = header.get("kid"), header.get("typ")
        if header.get("alg") != self._algorithm:
            raise _refused("algorithm")
        if not isinstance(typ, str) or typ.lower() not in ("at+jwt", "application/at+jwt"):
            raise _refused("type")
        if "crit" in header or not isinstance(kid, str) or not _KID.fullmatch(kid):
            raise _refused("header")
        return kid

    def _keep(self, token: str, caller: Caller, left_s: float) -> None:
        if left_s <= 0:
            return
        self._kept[self._fingerprint(token)] = (self._clock() + min(KEPT_S, left_s), caller)
        while len(self._kept) > MAX_KEPT:
            self._kept.popitem(last=False)

    def _fingerprint(self, token: str) -> bytes:
        return hashlib.blake2b(token.encode(), key=self._hash_key, digest_size=16).digest()


def _caller(claims: Mapping[str, Any]) -> Caller:
    given = claims.get("scope", "")
    word = claims.get("recomesh_role", "")
    if not isinstance(given, str) or not isinstance(word, str) or not isinstance(claims["sub"], str):
        raise ValueError("scope, recomesh_role and sub are text")
    subject = f"jwt:{claims['sub']}"
    scopes = frozenset(_SCOPES[name] for name in given.split() if name in _SCOPES)
    role = role_named(word)
    if word and role is None:
        raise ValueError(f"{word[:20]!r} is no role")
    if role is None:
        return Caller(subject, Role.PUBLIC, scopes)
    if "scope" in claims:
        return Caller(subject, role, ROLE_SCOPES[role] & scopes)
    return Caller.of(subject, role)


def _refused(why: str) -> Unauthenticated:
    metrics.BAD_CREDENTIALS_TOTAL.labels("token", why).inc()
    return Unauthenticated("the token is not valid here", reason="TOKEN_INVALID")
