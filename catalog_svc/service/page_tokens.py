"""Page tokens: where a list goes on, bound to what is listed."""

from __future__ import annotations

import base64
import binascii
import hashlib

from catalog_svc.domain.errors import PageTokenInvalid
from catalog_svc.domain.validation import id_violation

_DIGEST_BYTES = 8
_MAX_CHARACTERS = 400


def encode_token(resume_after: str, scope: str) -> str:
    """An opaque token, safe in URLs. `scope` is everything that must stay the same on the next page."""
    return base64.urlsafe_b64encode(_digest(resume_after, scope) + resume_after.encode()).decode().rstrip("=")


def decode_token(token: str, scope: str) -> str:
    """The product id to go on after. PageTokenInvalid if broken, or made for another scope."""
    if len(token) > _MAX_CHARACTERS:
        raise PageTokenInvalid
    try:
        raw = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
        resume_after = raw[_DIGEST_BYTES:].decode()
    except (binascii.Error, ValueError):
        raise PageTokenInvalid from None
    if raw[:_DIGEST_BYTES] != _digest(resume_after, scope) or id_violation("", resume_after):
        raise PageTokenInvalid
    return resume_after


def _digest(resume_after: str, scope: str) -> bytes:
    return hashlib.blake2b(f"{scope}\x00{resume_after}".encode(), digest_size=_DIGEST_BYTES).digest()
