"""Choosing Redis by URL."""

from __future__ import annotations

from urllib.parse import urlsplit

from meshkit.errors import SettingsInvalid
from meshkit.redis.link import BUDGET_S, RedisLink

VARIABLE = "RECOMESH_CACHE_URL"
ALLOWED = "memory://, redis://[:PASSWORD@]HOST[:PORT][/DATABASE] or rediss://… (TLS)"


def open_link(cache_url: str, *, budget_s: float = BUDGET_S) -> RedisLink | None:
    """redis://… or rediss://…; None for memory://. It connects when first used. SettingsInvalid for anything else."""
    try:
        parts = urlsplit(cache_url)
        well_formed = bool(parts.hostname) and parts.port != 0 and (parts.path.strip("/") or "0").isdecimal()
    except ValueError:
        raise SettingsInvalid(f"{VARIABLE}: {ALLOWED}") from None
    if parts.scheme == "memory":
        return None
    if parts.scheme not in ("redis", "rediss"):
        raise SettingsInvalid(f"{VARIABLE}: {ALLOWED}, not {parts.scheme or 'nothing'}://…")
    if not well_formed:
        raise SettingsInvalid(f"{VARIABLE}: {ALLOWED}")
    return RedisLink(cache_url, budget_s=budget_s)
