"""Where everything is, for people and scripts."""

from __future__ import annotations

from meshkit.settings import MeshSettings
from meshkit.web.admin_login import PASSWORD_FILE
from recomesh_cli import console
from recomesh_cli.mesh.processes import connect_host


def addresses(settings: MeshSettings) -> dict[str, str]:
    """Name → address."""
    host = connect_host(settings)
    public = "https" if settings.edge_tls_cert else "http"
    admin = "https" if settings.tls_dir else "http"
    return {
        "shop": f"{public}://{host}:{settings.edge_port}/",
        "rest": f"{public}://{host}:{settings.edge_port}/v1",
        "docs": f"{public}://{host}:{settings.edge_port}/docs",
        "catalog admin": f"{admin}://{host}:{settings.catalog_admin_port}/",
        "reco admin": f"{admin}://{host}:{settings.reco_admin_port}/",
        "profile admin": f"{admin}://{host}:{settings.profile_admin_port}/",
        "catalog grpc": settings.target("catalog"),
        "reco grpc": settings.target("reco"),
        "profile grpc": settings.target("profile"),
    }


def login_hint(settings: MeshSettings) -> str:
    """How to enter the admin planes, without the password itself."""
    if settings.admin_password.get_secret_value():
        return f"{settings.admin_user}, password as in RECOMESH_ADMIN_PASSWORD"
    return f"{settings.admin_user}, password in {settings.home / PASSWORD_FILE}"


def show_addresses(settings: MeshSettings, took_s: float) -> None:
    """A table on standard output."""
    rows = [*addresses(settings).items(), ("admin login", login_hint(settings))]
    out = console.out()
    out.print()
    out.print(console.table("", ("", ""), rows))
    out.print(f"\n[bold green]ready in {took_s:.1f} s[/]; Ctrl-C stops everything\n")
