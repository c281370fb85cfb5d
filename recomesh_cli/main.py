"""The commands, in the order of `recomesh --help`."""

from __future__ import annotations

from importlib.metadata import version
from typing import Annotated

import typer

from recomesh_cli.commands.backup import backup, restore
from recomesh_cli.commands.capacity import capacity
from recomesh_cli.commands.certs import certs_app
from recomesh_cli.commands.config import config
from recomesh_cli.commands.doctor import doctor
from recomesh_cli.commands.evaluate import evaluate
from recomesh_cli.commands.imports import import_app
from recomesh_cli.commands.keys import keys_app
from recomesh_cli.commands.queue import queue_app
from recomesh_cli.commands.recommend import recommend, similar
from recomesh_cli.commands.status import status
from recomesh_cli.commands.train import train
from recomesh_cli.commands.up import up
from recomesh_cli.failures import TellingGroup

app = typer.Typer(
    name="recomesh",
    cls=TellingGroup,
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Product recommendations for shoppers who have not logged in.\n\nBegin with `recomesh up`.",
)
app.command()(up)
app.command()(status)
app.command()(config)
app.add_typer(import_app)
app.add_typer(keys_app)
app.add_typer(certs_app)
app.command()(train)
app.add_typer(queue_app)
app.command()(recommend)
app.command()(similar)
app.command()(evaluate)
app.command()(backup)
app.command()(restore)
app.command()(doctor)
app.command()(capacity)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"recomesh {version('recomesh')}")
        raise typer.Exit


@app.callback()
def options(
    show_version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """What every command shares."""


def main() -> None:
    """Entry point of the `recomesh` script."""
    app()
