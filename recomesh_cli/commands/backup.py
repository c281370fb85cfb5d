"""`recomesh backup` and `recomesh restore`: everything, between any two stores."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from meshkit.backup.archive import Manifest
from meshkit.settings import MeshSettings, load
from recomesh_cli import console
from recomesh_cli.mesh.home_lock import home_lock
from recomesh_cli.moving import make_backup, restore_backup
from recomesh_cli.options import AsJson

Folder = Annotated[Path, typer.Argument(metavar="DIR", help="Folder of the backup.")]


def backup(
    folder: Folder,
    without_keys: Annotated[bool, typer.Option("--without-keys", help="Leave API keys and audit trail out.")] = False,
    as_json: AsJson = False,
) -> None:
    """Write products, interactions, rules, models, vectors, profiles and digests of API keys to a new folder.

    The mesh may run meanwhile.

    Example: `recomesh backup /srv/backups/monday`
    """
    with _progress("backup", quiet=as_json) as tell:
        manifest = make_backup(load(MeshSettings), folder, tell, keys=not without_keys)
    _report(manifest, f"Backed up to {folder}", as_json)


def restore(
    folder: Folder,
    replace: Annotated[bool, typer.Option("--replace", help="Forget what the stores hold now.")] = False,
    as_json: AsJson = False,
) -> None:
    """Read a backup into the stores of the settings, whatever kind they are, and check that they hold it.

    Stop the mesh first.

    Example: `RECOMESH_DATABASE_URL=postgresql://… recomesh restore /srv/backups/monday`
    """
    settings = load(MeshSettings)
    with home_lock(settings.home), _progress("restore", quiet=as_json) as tell:
        manifest = restore_backup(settings, folder, replace=replace, tell=tell)
    _report(manifest, f"Restored from {folder}", as_json)


@contextmanager
def _progress(what: str, *, quiet: bool) -> Iterator[Callable[[str, int], None]]:
    with console.progress(quiet=quiet) as bar:
        task = bar.add_task(what, total=None)
        yield lambda section, count: bar.update(task, description=f"{what}: {section} {count:,}")


def _report(manifest: Manifest, title: str, as_json: bool) -> None:
    if as_json:
        console.write_json({"made_at": manifest.made_at, "records": manifest.records, **manifest.facts})
        return
    rows = [(section.replace("_", " "), f"{count:,}") for section, count in manifest.records.items()]
    console.out().print(console.table(title, ("", "records"), rows, right=("records",)))
    console.out().print(f"Active model: {manifest.facts.get('active_model') or 'none'}; made {manifest.made_at}.")
