"""`recomesh certs`: a private certificate authority for the mesh."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from meshkit.security.authority import Authority, Certificate
from meshkit.security.roles import Role
from meshkit.settings import MeshSettings, load
from recomesh_cli import console
from recomesh_cli.all_settings import known_names
from recomesh_cli.failures import TellingGroup
from recomesh_cli.options import AsJson

certs_app = typer.Typer(
    name="certs", cls=TellingGroup, no_args_is_help=True, help="Certificates for TLS between the processes."
)
PROCESSES = ("edge", "catalog", "reco", "profile", "workers")
OPERATOR = "operator"  # what the commands themselves use
Folder = Annotated[
    Path | None,
    typer.Option("--dir", help="Folder; default: RECOMESH_TLS_DIR, else certs in home."),
]
Hosts = Annotated[list[str] | None, typer.Option("--host", help="Name or address of a machine; may be repeated.")]
Days = Annotated[int, typer.Option(min=1, max=397, help="How long it is good.")]


@certs_app.command()
def init(folder: Folder = None, host: Hosts = None, days: Days = 30, as_json: AsJson = False) -> None:
    """Make an authority, and certificates for the five processes and the operator.

    Example: `recomesh certs init && RECOMESH_TLS_DIR=.recomesh/certs recomesh up`
    """
    place = _folder(folder)
    authority = Authority(place)
    authority.create()
    for name in PROCESSES:
        authority.issue(name, Role.SERVICE, hosts=host or (), days=days)
    authority.issue(OPERATOR, Role.OPERATOR, days=days)
    _show(authority.list(), as_json=as_json)
    if not as_json:
        console.err().print(f"Set RECOMESH_TLS_DIR={console.escaped(str(place))}; keep ca_key.pem off the servers.")


@certs_app.command()
def issue(
    name: Annotated[str, typer.Argument(help="edge, catalog, reco, profile, workers, operator, or a client's name.")],
    role: Annotated[Role | None, typer.Option(help="Default: service for a process, else operator.")] = None,
    folder: Folder = None,
    host: Hosts = None,
    days: Days = 30,
    as_json: AsJson = False,
) -> None:
    """Make or renew one certificate; running processes take it up by themselves.

    Example: `recomesh certs issue catalog --host catalog.shop.internal --days 7`
    """
    role = role or (Role.SERVICE if name in PROCESSES else Role.OPERATOR)
    _show([Authority(_folder(folder)).issue(name, role, hosts=host or (), days=days)], as_json=as_json)


@certs_app.command()
def show(folder: Folder = None, as_json: AsJson = False) -> None:
    """List the certificates and when they end.

    Example: `recomesh certs show --json`
    """
    _show(Authority(_folder(folder)).list(), as_json=as_json)


def _folder(given: Path | None) -> Path:
    settings = load(MeshSettings, known=known_names())
    return given or settings.tls_dir or settings.home / "certs"


def _show(found: Sequence[Certificate], *, as_json: bool) -> None:
    now = datetime.now(UTC)
    if as_json:
        rows = [{"name": c.name, "uri": c.uri, "hosts": c.hosts, "not_after": c.not_after} for c in found]
        console.write_json({"certificates": rows})
        return
    cells = [
        (
            c.name,
            c.uri or "(authority)",
            " ".join(c.hosts),
            f"{c.not_after:%Y-%m-%d %H:%M}",
            _days_left(c, now),
        )
        for c in found
    ]
    console.out().print(console.table("", ("name", "is", "reached at", "ends", "days left"), cells))


def _days_left(certificate: Certificate, now: datetime) -> str:
    return str((certificate.not_after - now).days)
