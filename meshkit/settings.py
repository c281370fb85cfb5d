"""Typed, frozen settings, read once from `RECOMESH_…` variables and a `.env` file.

Each process subclasses `MeshSettings` in its own `settings.py`. A field may be prefixed with its owner (`catalog_…`,
`reco_…`, `profile_…`, `edge_…`, `worker_…`); every field has a description, from which the configuration reference is
generated. A password is a `SecretStr`; it, and a password inside a URL, are masked wherever settings are shown.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias, TypeVar

from dotenv import dotenv_values
from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from meshkit.errors import SettingsInvalid

ENV_PREFIX = "RECOMESH_"
OWNERS = ("catalog", "reco", "profile", "edge", "worker", "cli")
Service: TypeAlias = Literal["catalog", "reco", "profile"]
ROOT = Path(__file__).resolve().parent.parent


class MeshSettings(BaseSettings):
    """What every process needs to know."""

    model_config = SettingsConfigDict(env_prefix=ENV_PREFIX, env_file=".env", extra="ignore", frozen=True)

    home: Path = Field(
        Path(".recomesh"), description="Folder of all local state: databases, queue, snapshots, secrets."
    )
    host: str = Field("127.0.0.1", description="Address that servers listen on.")
    log_format: Literal["auto", "console", "json"] = Field(
        "auto", description="auto: coloured in a terminal, else JSON."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="Least severe line shown.")
    drain_s: float = Field(
        15.0, ge=0, le=300, description="Longest wait for running requests on a clean stop, seconds."
    )

    edge_port: int = Field(8080, ge=1, le=65535, description="Public REST port.")
    edge_metrics_port: int = Field(8085, ge=1, le=65535, description="Internal port of the edge: metrics, status.")
    catalog_port: int = Field(50051, ge=1, le=65535, description="gRPC port of the catalog.")
    catalog_admin_port: int = Field(8081, ge=1, le=65535, description="Admin plane of the catalog.")
    reco_port: int = Field(50052, ge=1, le=65535, description="gRPC port of the recommender.")
    reco_admin_port: int = Field(8082, ge=1, le=65535, description="Admin plane of the recommender.")
    profile_port: int = Field(50053, ge=1, le=65535, description="gRPC port of the profiles.")
    profile_admin_port: int = Field(8083, ge=1, le=65535, description="Admin plane of the profiles.")
    worker_port: int = Field(8084, ge=1, le=65535, description="Health and metrics of the queue workers.")

    catalog_target: str = Field("", description="gRPC target of the catalog; empty: host and catalog_port.")
    reco_target: str = Field(
        "",
        description="gRPC target of the recommender, or HOST:PORT,HOST:PORT for replicas; empty: host and reco_port.",
    )
    profile_target: str = Field("", description="gRPC target of the profiles; empty: host and profile_port.")

    catalog_url: str = Field(
        "",
        description="Products: mongodb://HOST:PORT/NAME, postgresql://USER:PASSWORD@HOST:PORT/NAME or sqlite:///FILE;"
        " empty: catalog.db in home.",
    )
    database_url: str = Field(
        "",
        description="Interactions, rules, models and profiles: postgresql://USER:PASSWORD@HOST:PORT/NAME or"
        " sqlite:///FILE; empty: reco.db and profile.db in home.",
    )
    database_pool_size: int = Field(8, ge=1, le=200, description="PostgreSQL: most open connections of a process.")
    database_pool_wait_s: float = Field(2.0, gt=0, le=60, description="Longest wait for a free connection, seconds.")
    database_connect_timeout_s: float = Field(2.0, gt=0, le=60, description="Longest wait for PostgreSQL to let in.")
    database_statement_timeout_s: float = Field(
        10.0, gt=0, le=600, description="PostgreSQL: longest run of a statement, seconds."
    )
    database_lock_timeout_s: float = Field(5.0, gt=0, le=600, description="PostgreSQL: longest wait for a lock.")
    database_idle_in_transaction_timeout_s: float = Field(
        30.0, gt=0, le=3600, description="PostgreSQL: longest silence inside a transaction, seconds."
    )
    database_retention_days: int = Field(
        0, ge=0, le=36_500, description="Months of interactions that ended this many days ago are dropped; 0: never."
    )
    cache_url: str = Field(
        "memory://", description="Caches, sessions and limits: memory://, or redis://HOST:PORT to share them."
    )
    broker_url: str = Field(
        "", description="Queue: amqp://USER:PASSWORD@HOST:PORT/VHOST or sqlite:///FILE; empty: queue.db in home."
    )
    spool_max_mb: int = Field(
        1024, ge=1, description="Most that each service keeps in home while RabbitMQ is away, MB; then it refuses."
    )
    snapshot_url: str = Field("", description="Snapshots: file:///DIR; empty: snapshots/ in home.")

    admin_user: str = Field("admin", min_length=1, description="Name for every admin plane.")
    admin_password: SecretStr = Field(SecretStr(""), description="Empty: made on first start, kept in home.")

    keys_url: str = Field("", description="API keys and audit trail: sqlite:///FILE or postgresql://…; empty: home.")
    keys_refresh_s: float = Field(
        1.0, gt=0, le=30, description="How late a process may see that a key was made or revoked, seconds."
    )
    key_pepper: SecretStr = Field(
        SecretStr(""), description="What digests of API keys are made with; empty: made on first use, kept in home."
    )
    require_key: bool = Field(False, description="Refuse REST requests without a key, public reads too.")
    anonymous_role: Literal["auto", "public", "shop"] = Field(
        "auto", description="What a REST client without a key is; auto: shop on loopback, public elsewhere."
    )
    mesh_auth: Literal["loopback", "required"] = Field(
        "loopback", description="loopback: gRPC callers on this machine need no credentials; required: all do."
    )

    tls_dir: Path | None = Field(
        None, description="Certificates of the mesh (`recomesh certs init`): mutual TLS for gRPC, https admin planes."
    )
    edge_tls_cert: Path | None = Field(None, description="Certificate chain of the public REST port, PEM.")
    edge_tls_key: Path | None = Field(None, description="Its key, PEM.")
    allow_plaintext: bool = Field(
        False, description="Speak plaintext off loopback too: something in front of it encrypts."
    )

    token_issuer: str = Field("", description="Issuer of Bearer tokens (claim iss); empty: no tokens are taken.")
    token_audience: str = Field("recomesh", description="What tokens must be meant for (claim aud).")
    token_jwks_url: str = Field("", description="Where the issuer's public keys are; https, or http on loopback.")
    token_algorithm: Literal["RS256", "PS256", "ES256", "EdDSA"] = Field(
        "RS256", description="The one signature algorithm that tokens may have."
    )
    client_token_url: str = Field("", description="Where processes fetch their own tokens; empty: they have none.")
    client_id: str = Field("", description="Name of this process at the token issuer.")
    client_secret: SecretStr = Field(SecretStr(""), description="Its secret there.")

    weight_view: float = Field(
        1.0, ge=0, le=100, description="How much a view, or a click in a list, tells of interest."
    )
    weight_cart: float = Field(3.0, ge=0, le=100, description="How much putting into the basket tells of it.")
    weight_wishlist: float = Field(2.0, ge=0, le=100, description="How much putting on a wish list tells of it.")
    weight_purchase: float = Field(5.0, ge=0, le=100, description="How much a purchase tells of it.")
    weight_removal: float = Field(
        -2.0, ge=-100, le=0, description="How much taking out of the basket tells against it."
    )
    weight_refund: float = Field(-5.0, ge=-100, le=0, description="How much sending back tells against it.")

    service_config: Path = Field(ROOT / "proto/service_config.json", description="Deadlines and retries per method.")

    def target(self, service: Service) -> str:
        """gRPC target of a service. Of several addresses gRPC itself balances numeric ones; else it is the first."""
        addresses = self.targets(service)
        numeric = len(addresses) > 1 and all(_is_ipv4(address) for address in addresses)
        return f"ipv4:{','.join(addresses)}" if numeric else addresses[0]

    def targets(self, service: Service) -> list[str]:
        """The addresses of a service's replicas, for a client that balances by itself."""
        host = "127.0.0.1" if self.host in ("0.0.0.0", "::") else self.host
        given = [part.strip() for part in str(getattr(self, f"{service}_target")).split(",")]
        return [part for part in given if part] or [f"{host}:{getattr(self, f'{service}_port')}"]

    @property
    def is_local(self) -> bool:
        """True if servers listen on this machine's own addresses only."""
        return self.host in ("localhost", "::1") or self.host.startswith("127.")

    @property
    def queue_url(self) -> str:
        """URL of the queue."""
        return self.broker_url or self.sqlite_url("queue.db")

    def sqlite_url(self, name: str) -> str:
        """URL of an embedded database file in home."""
        return f"sqlite:///{self.home.resolve() / name}"


S = TypeVar("S", bound=MeshSettings)


def load(cls: type[S], *, known: frozenset[str] = frozenset()) -> S:
    """The settings of this process. SettingsInvalid has one line per wrong or unknown variable.

    A variable is unknown if it begins with RECOMESH_, is no field of `cls` or of `known`, and does not bear another
    owner's prefix (`recomesh config` and `recomesh up` pass all names as `known`, so they catch those too).
    """
    fields = set(cls.model_fields) | known
    others = tuple(f"{owner}_" for owner in OWNERS) if not known else ()
    given = {k for k in _given() if k not in fields and not (others and k.startswith(others))}
    lines = [f"{ENV_PREFIX}{name.upper()}: unknown; `recomesh config` lists what exists" for name in sorted(given)]
    settings = None
    try:
        settings = cls()
    except ValidationError as error:
        lines += [_line(e["loc"], e["msg"], e.get("input")) for e in error.errors()]
    if lines or settings is None:
        raise SettingsInvalid("\n".join(lines))
    return settings


@dataclass(frozen=True, slots=True)
class EffectiveSetting:
    """One setting as it is in force; secrets are masked."""

    variable: str
    value: str
    source: Literal["default", "environment", ".env"]
    description: str


def effective(settings: MeshSettings) -> list[EffectiveSetting]:
    """Every setting of a process by variable name."""
    dotenv = {k.upper() for k in dotenv_values(".env")} if Path(".env").is_file() else set()
    rows = []
    for name, field in type(settings).model_fields.items():
        variable = f"{ENV_PREFIX}{name.upper()}"
        source: Literal["default", "environment", ".env"] = (
            "environment" if variable in os.environ else ".env" if variable in dotenv else "default"
        )
        rows.append(EffectiveSetting(variable, shown(getattr(settings, name)), source, field.description or ""))
    return sorted(rows, key=lambda row: row.variable)


def shown(value: object) -> str:
    """A value fit for people and logs: secrets and URL passwords become ***."""
    if isinstance(value, SecretStr):
        return "***" if value.get_secret_value() else ""
    return re.sub(r"://([^:/@]*):[^@]+@", r"://\1:***@", str(value))


def _is_ipv4(address: str) -> bool:
    host = address.rpartition(":")[0]
    return re.fullmatch(r"\d{1,3}(\.\d{1,3}){3}", host) is not None


def _given() -> set[str]:
    names = {k.upper() for k in os.environ} | {k.upper() for k in dotenv_values(".env")}
    return {n.removeprefix(ENV_PREFIX).lower() for n in names if n.startswith(ENV_PREFIX)}


def _line(loc: tuple[int | str, ...], message: str, given: object) -> str:
    name = str(loc[0]) if loc else "?"
    variable = name if name.upper().startswith(ENV_PREFIX) else f"{ENV_PREFIX}{name.upper()}"
    masked = "***" if any(word in name for word in ("password", "secret", "pepper")) else repr(given)
    told = message.removeprefix("Value error, ")  # pydantic's own word for what a validator says
    return f"{variable}: {told}, not {masked}"
