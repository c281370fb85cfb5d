"""Moving everything a mesh knows between stores: what `recomesh backup` and `recomesh restore` do."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import TypeAlias

from meshkit.backup.archive import ArchiveReader, ArchiveWriter, Manifest, Tally
from meshkit.backup.port import BackedUp, Record
from meshkit.errors import FailedPrecondition
from meshkit.security.open_gate import open_security_database
from meshkit.security.sql_backup import SecurityBackup
from meshkit.settings import MeshSettings

MARKER = "restore.unfinished"
KEYS = "keys"
REVISIONS = "catalog_revision"  # given anew by a restore: not compared
Tell: TypeAlias = Callable[[str, int], None]  # section, records of it so far
_EVERY = 1_000


def make_backup(settings: MeshSettings, folder: Path, tell: Tell, *, keys: bool = True) -> Manifest:
    """Writes everything to a new folder, API keys and audit trail only with `keys`.

    FailedPrecondition (BACKUP_EXISTS); Unavailable when a store is away.
    """
    writer = ArchiveWriter(folder)
    writer.begin()
    try:
        with _stores(settings, keys=keys) as stores:
            for store in stores.values():
                for section, records in store.read():
                    writer.add(section, _told(section, records, tell))
        from reco_svc.backup import snapshots

        kept = snapshots(settings)
        for snapshot in kept.versions():
            for path in sorted(kept.verified(snapshot).iterdir()):
                writer.copy(path, f"snapshots/{snapshot}/{path.name}")
        return writer.finish({"recomesh": version("recomesh"), "active_model": kept.active()})
    except BaseException:
        writer.abandon()
        raise


def restore_backup(settings: MeshSettings, folder: Path, *, replace: bool, tell: Tell) -> Manifest:
    """Puts a verified backup in place of what the stores hold, then reads it back and compares.

    A backup without keys leaves those of the stores, and their audit trail, as they are.
    FailedPrecondition: NOT_EMPTY without `replace`, BACKUP_CORRUPT, RESTORE_DIFFERS. A restore that was cut off leaves
    a marker in home, which `recomesh up` heeds, and may simply be repeated.
    """
    archive = ArchiveReader(folder)
    marker = settings.home / MARKER
    with _stores(settings, keys=KEYS in archive.manifest.records) as stores:
        held = {name: count for name, store in stores.items() if (count := store.holds())}
        if held and not replace and not marker.exists():
            what = ", ".join(f"{name} ({count:,} records)" for name, count in held.items())
            raise FailedPrecondition(
                f"the stores are not empty: {what}; --replace puts the backup in place of what they hold",
                reason="NOT_EMPTY",
            )
        settings.home.mkdir(parents=True, exist_ok=True)
        marker.write_text(f"{folder.resolve()}\n")
        for store in stores.values():
            store.replace(lambda section: _told(section, archive.records(section), tell))
            _compare(archive.manifest, store)
    _restore_snapshots(settings, archive)
    marker.unlink()
    return archive.manifest


def unfinished_restore(home: Path) -> str:
    """What to do about a restore that was cut off; "" if there was none."""
    marker = home / MARKER
    if not marker.exists():
        return ""
    folder = marker.read_text().strip()
    return f"a restore was cut off and the stores hold parts of it; run `recomesh restore {folder}` again"


@contextmanager
def _stores(settings: MeshSettings, *, keys: bool) -> Iterator[Mapping[str, BackedUp]]:
    from catalog_svc import backup as catalog
    from profile_svc import backup as profile
    from reco_svc import backup as reco

    with ExitStack() as stack:
        parts = {"catalog": catalog, "recommender": reco, "profiles": profile}
        stores = {name: stack.enter_context(part.opened(settings)) for name, part in parts.items()}
        if keys:
            database = stack.enter_context(closing(open_security_database(settings)))
            stores["keys and audit trail"] = SecurityBackup(database)
        yield stores


def _told(section: str, records: Iterator[Record], tell: Tell) -> Iterator[Record]:
    count = 0
    for count, record in enumerate(records, 1):
        if count % _EVERY == 0:
            tell(section, count)
        yield record
    tell(section, count)


def _compare(manifest: Manifest, store: BackedUp) -> None:
    for section, records in store.read():
        tally = Tally()
        for record in records:
            tally.line(record)
        expected = manifest.records.get(section, 0), manifest.content.get(section, Tally().content)
        if section != REVISIONS and (tally.count, tally.content) != expected:
            raise FailedPrecondition(
                f"{section} is not what the backup holds: {tally.count:,} records, {expected[0]:,} expected;"
                " is something else writing to the store?",
                reason="RESTORE_DIFFERS",
            )


def _restore_snapshots(settings: MeshSettings, archive: ArchiveReader) -> None:
    from reco_svc.backup import snapshots

    kept = snapshots(settings)
    folders: dict[str, Path] = {}
    for name, path in archive.files("snapshots"):
        snapshot, _, file = name.partition("/")
        if snapshot not in folders:
            folders[snapshot] = settings.home / f".restore-{snapshot}"
            shutil.rmtree(folders[snapshot], ignore_errors=True)
            folders[snapshot].mkdir(parents=True)
        shutil.copyfile(path, folders[snapshot] / file)
    for snapshot, folder in folders.items():
        made = kept.new()
        for path in folder.iterdir():
            shutil.move(path, made / path.name)
        folder.rmdir()
        kept.adopt(made, snapshot)
    if active := archive.manifest.facts.get("active_model"):
        kept.activate(str(active))
