"""Building the gate of a process from its settings, and keeping its keys current."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

from meshkit.errors import SettingsInvalid
from meshkit.postgres import PostgresLimits
from meshkit.secret_files import kept_secret
from meshkit.security.audit import Audit, SqlAuditTrail
from meshkit.security.gate import Gate
from meshkit.security.jwks import Jwks, http_fetch
from meshkit.security.key_ring import KeyRing
from meshkit.security.manage_keys import ManageKeys
from meshkit.security.roles import Role
from meshkit.security.sessions import SqlSessionStore
from meshkit.security.sql_database import SecurityDatabase
from meshkit.security.sql_key_store import SqlKeyStore
from meshkit.security.tls import Process, TlsFiles, edge_tls, mesh_tls, refuse_plaintext
from meshkit.security.tokens import TokenVerifier
from meshkit.settings import MeshSettings

PEPPER_FILE = "key_pepper"


@asynccontextmanager
async def open_gate(settings: MeshSettings, process: Process) -> AsyncIterator[Gate]:
    """The gate, with keys that follow the store while the context is open. SettingsInvalid if others could listen."""
    tls = serving_tls(settings, process)
    database = open_security_database(settings)
    ring = KeyRing(SqlKeyStore(database), lambda: key_pepper(settings), refresh_s=settings.keys_refresh_s)
    gate = Gate(
        ring,
        key_manager(settings, database),
        Audit(SqlAuditTrail(database)),
        tokens=token_verifier(settings),
        visitor=visitor_role(settings),
        trust_loopback=settings.mesh_auth == "loopback",
        tls=tls,
        sessions=SqlSessionStore(database),
    )
    await ring.try_refresh()
    stop = asyncio.Event()
    following = asyncio.create_task(ring.run(stop))
    try:
        yield gate
    finally:
        stop.set()
        await following
        database.close()


def serving_tls(settings: MeshSettings, process: Process) -> TlsFiles | None:
    """What a process serves with: the edge its public certificate, the others that of the mesh. SettingsInvalid."""
    if process == "edge":
        files = edge_tls(settings)
        fix = "set RECOMESH_EDGE_TLS_CERT and RECOMESH_EDGE_TLS_KEY"
    else:
        files = mesh_tls(settings, process)
        fix = "set RECOMESH_TLS_DIR (`recomesh certs init`)"
    refuse_plaintext(settings, files, process, fix)
    return files


def open_security_database(settings: MeshSettings) -> SecurityDatabase:
    """Where keys and audit entries are. SettingsInvalid."""
    return SecurityDatabase(settings.keys_url or settings.sqlite_url("keys.db"), PostgresLimits.of(settings))


def key_manager(settings: MeshSettings, database: SecurityDatabase) -> ManageKeys:
    """The use cases of keys."""
    return ManageKeys(SqlKeyStore(database), key_pepper(settings), Audit(SqlAuditTrail(database)))


def key_pepper(settings: MeshSettings) -> bytes:
    """What the digests of keys are made with, besides the key: without it a stolen key table is worth nothing."""
    given = settings.key_pepper.get_secret_value()
    return (given or kept_secret(settings.home, PEPPER_FILE, lambda: secrets.token_urlsafe(48))).encode()


def token_verifier(settings: MeshSettings) -> TokenVerifier | None:
    """Checks tokens of the issuer of the settings; None without one. SettingsInvalid."""
    if not settings.token_issuer:
        return None
    check_url("RECOMESH_TOKEN_JWKS_URL", settings.token_jwks_url)
    return TokenVerifier(
        Jwks(http_fetch(settings.token_jwks_url), settings.token_algorithm),
        issuer=settings.token_issuer,
        audience=settings.token_audience,
        algorithm=settings.token_algorithm,
    )


def check_url(variable: str, url: str) -> None:
    """SettingsInvalid unless a URL is https, or http to this machine."""
    parts = urlsplit(url)
    local = parts.hostname in ("localhost", "127.0.0.1", "::1")
    if parts.scheme != "https" and not (parts.scheme == "http" and local):
        raise SettingsInvalid(f"{variable}: must be an https URL, or http on loopback")


def visitor_role(settings: MeshSettings) -> Role | None:
    """What a REST client without credentials is."""
    if settings.require_key:
        return None
    if settings.anonymous_role != "auto":
        return Role(settings.anonymous_role)
    return Role.SHOP if settings.is_local else Role.PUBLIC
