"""API keys: how they look, and what is kept of one.

    rk_<id>_<secret><checksum>

id: 12 of 0-9 a-z. secret: 36 of 0-9 A-Z a-z (214 bits). checksum: 6 of the same, CRC-32 of all before it, so that a
typing error or a scanner's guess is told from a key at once. Kept are id and HMAC-SHA-256(pepper, id ‖ secret).
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import string
import zlib
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from meshkit.security.roles import ROLE_SCOPES, Role, Scope

PREFIX = "rk_"
ID_LENGTH, SECRET_LENGTH, CHECK_LENGTH = 12, 36, 6
_DIGITS = string.digits + string.ascii_uppercase + string.ascii_lowercase
_ID_DIGITS = string.digits + string.ascii_lowercase
_FORM = re.compile(
    rf"rk_([0-9a-z]{{{ID_LENGTH}}})_([0-9A-Za-z]{{{SECRET_LENGTH}}})([0-9A-Za-z]{{{CHECK_LENGTH}}})", re.ASCII
)


class PresentedKey(NamedTuple):
    """A well-formed key; whether it is one of ours is not known yet."""

    key_id: str
    secret: str


@dataclass(frozen=True, slots=True)
class StoredKey:
    """What is kept of a key. Times are UTC. `scopes`, if not empty, narrows those of the role."""

    key_id: str
    name: str
    role: Role
    scopes: frozenset[Scope]
    digest: bytes
    created_at: datetime
    created_by: str
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    last_used_at: datetime | None = None

    def state(self, now: datetime) -> str:
        """ "live", "expired" or "revoked"."""
        if self.revoked_at is not None:
            return "revoked"
        return "expired" if self.expires_at is not None and self.expires_at <= now else "live"

    @property
    def effective_scopes(self) -> frozenset[Scope]:
        """What its holder may do."""
        scopes = ROLE_SCOPES[self.role]
        return scopes & self.scopes if self.scopes else scopes


def new_key() -> tuple[PresentedKey, str]:
    """A key from the system's random source, and its text."""
    key_id = "".join(secrets.choice(_ID_DIGITS) for _ in range(ID_LENGTH))
    secret = "".join(secrets.choice(_DIGITS) for _ in range(SECRET_LENGTH))
    body = f"{PREFIX}{key_id}_{secret}"
    return PresentedKey(key_id, secret), body + _checksum(body)


def read_key(text: str) -> PresentedKey | None:
    """The parts of a key; None if it is not well-formed or its checksum is wrong."""
    found = _FORM.fullmatch(text)
    if found is None or _checksum(text[:-CHECK_LENGTH]) != found[3]:
        return None
    return PresentedKey(found[1], found[2])


def digest_of(key: PresentedKey, pepper: bytes) -> bytes:
    """What is kept of the secret, 32 bytes. A random secret of 214 bits needs no slow hash."""
    return hmac.digest(pepper, f"{key.key_id}\0{key.secret}".encode(), hashlib.sha256)


def _checksum(body: str) -> str:
    value, text = zlib.crc32(body.encode()), ""
    for _ in range(CHECK_LENGTH):
        value, digit = divmod(value, len(_DIGITS))
        text += _DIGITS[digit]
    return text
