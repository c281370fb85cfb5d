"""`recomesh keys`: issue, list, rotate and revoke API keys."""

from __future__ import annotations

import getpass
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from meshkit import logs
from meshkit.errors import InvalidArgument
from meshkit.security.api_keys import StoredKey
from meshkit.security.manage_keys import IssuedKey, ManageKeys
from meshkit.security.open_gate import key_manager, open_security_database
from meshkit.security.roles import Role, Scope
from meshkit.settings import MeshSettings, load
from recomesh_cli import console
from recomesh_cli.all_settings import known_names
from recomesh_cli.failures import TellingGroup
from recomesh_cli.options import AsJson

keys_app = typer.Typer(
    name="keys",
    cls=TellingGroup,
    no_args_is_help=True,
    help="API keys: who may do what from outside.\n\nExample: `recomesh keys create shop-front --role shop`",
)
_SPAN = re.compile(r"([1-9][0-9]{0,5})([smhd])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
KeyId = Annotated[str, typer.Argument(help="The id of the key: what stands between rk_ and the next _.")]


@keys_app.command()
def create(
    name: Annotated[str, typer.Argument(help="Who will hold it, such as shop-front.")],
    role: Annotated[Role, typer.Option(help="What its holder is.")] = Role.SHOP,
    scope: Annotated[list[Scope] | None, typer.Option(help="Narrow it to this scope; may be repeated.")] = None,
    expires: Annotated[str, typer.Option(help="When it ends: 12h, 90d; empty: never.")] = "",
    as_json: AsJson = False,
) -> None:
    """Make a key. Its text is shown once and kept nowhere.

    Example: `recomesh keys create shop-front --role shop --expires 90d`
    """
    with _manager() as keys:
        ends = _span("expires", expires) if expires else None
        _show(keys.create(name, role, by=_me(), scopes=scope or (), expires_in=ends), as_json=as_json)


@keys_app.command("list")
def list_keys(as_json: AsJson = False) -> None:
    """Show every key, never its secret.

    Example: `recomesh keys list --json`
    """
    with _manager() as keys:
        now = datetime.now(UTC)
        rows = [_facts(key, now) for key in keys.list()]
    if as_json:
        console.write_json({"keys": rows})
        return
    columns = ("key_id", "name", "role", "scopes", "state", "created_at", "expires_at", "last_used_at")
    cells = [tuple(_cell(row[column]) for column in columns) for row in rows]
    console.out().print(console.table("", columns, cells))


@keys_app.command()
def rotate(
    key_id: KeyId,
    grace: Annotated[str, typer.Option(help="How long the old key still works: 0s, 24h, 7d.")] = "24h",
    as_json: AsJson = False,
) -> None:
    """Make a successor of a key; both work until the grace is over.

    Example: `recomesh keys rotate k3v9x0q2m7ab --grace 24h`
    """
    with _manager() as keys:
        _show(keys.rotate(key_id, by=_me(), grace=_span("grace", grace)), as_json=as_json)


@keys_app.command()
def revoke(key_id: KeyId, as_json: AsJson = False) -> None:
    """End a key now; every process refuses it within RECOMESH_KEYS_REFRESH_S.

    Example: `recomesh keys revoke k3v9x0q2m7ab`
    """
    with _manager() as keys:
        key = keys.revoke(key_id, by=_me())
    if as_json:
        console.write_json(_facts(key, datetime.now(UTC)))
    else:
        console.out().print(f"Key {console.escaped(key_id)} of {console.escaped(key.name)} is revoked.")


@contextmanager
def _manager() -> Iterator[ManageKeys]:
    settings = load(MeshSettings, known=known_names())
    logs.configure("recomesh", level="error")  # what is said here goes to people; the audit trail keeps the rest
    database = open_security_database(settings)
    try:
        yield key_manager(settings, database)
    finally:
        database.close()


def _show(issued: IssuedKey, *, as_json: bool) -> None:
    if as_json:
        console.write_json({"key": issued.text, **_facts(issued.key, datetime.now(UTC))})
        return
    key = issued.key
    console.err().print(f"Key {key.key_id} for {console.escaped(key.name)}, role {key.role}. It is shown only now:")
    typer.echo(issued.text)


def _facts(key: StoredKey, now: datetime) -> dict[str, object]:
    return {
        "key_id": key.key_id,
        "name": key.name,
        "role": key.role.value,
        "scopes": sorted(key.effective_scopes),
        "state": key.state(now),
        "created_at": key.created_at,
        "created_by": key.created_by,
        "expires_at": key.expires_at,
        "revoked_at": key.revoked_at,
        "last_used_at": key.last_used_at,
    }


def _cell(value: object) -> str:
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M}"
    return " ".join(value) if isinstance(value, list) else str(value or "")


def _span(option: str, text: str) -> timedelta:
    if text in ("0", "0s"):
        return timedelta(0)
    found = _SPAN.fullmatch(text)
    if found is None:
        raise InvalidArgument.of(f"--{option}", f"must be a number and s, m, h or d, such as 24h, not {text!r}")
    return timedelta(**{_UNITS[found[2]]: int(found[1])})


def _me() -> str:
    name = re.sub(r"[^A-Za-z0-9._-]", "_", getpass.getuser())[:100]
    return f"cli:{name}"
