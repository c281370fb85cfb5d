"""Snapshots as folders of one directory, each with a manifest of checksums; a file names the active one.

    <root>/20261124T101500Z-1a2b3c4d/manifest.json, vectors.npy, …
    <root>/ACTIVE

A folder is written under a temporary name, fsynced and renamed, so a version is whole or absent.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import shutil
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import orjson

from meshkit.errors import FailedPrecondition, NotFound, SettingsInvalid, Unavailable
from meshkit.pace import Pace, no_pause
from reco_svc.adapters.snapshot_files import load_snapshot
from reco_svc.domain.snapshot import SCHEMA_VERSION, Snapshot

MANIFEST = "manifest.json"
ACTIVE = "ACTIVE"
HASHED_AT_ONCE = 1 << 18
_VERSION = re.compile(r"\d{8}T\d{6}Z-[0-9a-f]{8}\Z")


def open_snapshots(url: str) -> DirectorySnapshotStore:
    """file:///DIR. SettingsInvalid for anything else."""
    scheme, _, path = url.partition("://")
    if scheme != "file" or not path.startswith("/"):
        raise SettingsInvalid(f"RECOMESH_SNAPSHOT_URL: file:///DIR, not {url!r}")
    return DirectorySnapshotStore(Path(path))


class DirectorySnapshotStore:
    """See `domain.ports.SnapshotStore`. Made when first written to."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def new(self) -> Path:
        """See the port. What crashed trainings left behind is removed."""
        for left in self._root.glob(".new-*"):
            shutil.rmtree(left, ignore_errors=True)
        folder = self._root / f".new-{secrets.token_hex(4)}"
        folder.mkdir(parents=True)
        return folder

    def publish(self, folder: Path, manifest: Mapping[str, object]) -> str:
        """See the port."""
        now = datetime.now(UTC)
        files = {p.name: _sha256(p) for p in sorted(folder.iterdir())}
        identity = hashlib.sha256(orjson.dumps(files, option=orjson.OPT_SORT_KEYS)).hexdigest()[:8]
        version = f"{now:%Y%m%dT%H%M%SZ}-{identity}"
        content = {**manifest, "version": version, "schema": SCHEMA_VERSION, "files": files}
        content["created_at_s"] = now.timestamp()
        (folder / MANIFEST).write_bytes(orjson.dumps(content, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS))
        for path in folder.iterdir():
            _fsync(path)
        _fsync(folder)
        folder.rename(self._root / version)
        _fsync(self._root)
        return version

    def adopt(self, folder: Path, version: str) -> None:
        """Takes a folder that another store published under its version, unless it is there already.

        `folder` is one of `new`; FailedPrecondition (SNAPSHOT_CORRUPT) if it is not whole.
        """
        if (self._root / version).is_dir():
            shutil.rmtree(folder)
        else:
            for path in [*folder.iterdir(), folder]:
                _fsync(path)
            folder.rename(self._root / version)
            _fsync(self._root)
        self.verified(version)

    def verified(self, version: str, *, pause: Callable[[], None] = no_pause) -> Path:
        """See the port. Between two pieces of a file it calls `pause`."""
        folder = self._root / version
        if not _VERSION.match(version) or not folder.is_dir():
            raise NotFound("model", version)
        try:
            manifest = orjson.loads((folder / MANIFEST).read_bytes())
            schema, files = manifest["schema"], manifest["files"]
        except (OSError, orjson.JSONDecodeError, KeyError, TypeError):
            raise _corrupt(version, MANIFEST, "can not be read") from None
        if schema != SCHEMA_VERSION:
            raise _corrupt(version, MANIFEST, f"has schema {schema}, this release reads {SCHEMA_VERSION}: train again")
        for name, checksum in files.items():
            path = folder / name
            if not path.is_file() or _sha256(path, pause) != checksum:
                raise _corrupt(version, name, "is missing or does not match its checksum")
        return folder

    def load(self, version: str, *, pause: Callable[[], None] = no_pause) -> Snapshot:
        """The snapshot of a verified folder, memory-mapped; FailedPrecondition (SNAPSHOT_CORRUPT) as `verified`."""
        folder = self.verified(version, pause=pause)
        try:
            return load_snapshot(folder, version)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise _corrupt(version, "a file", f"does not fit: {error}") from error

    def manifest(self, version: str) -> Mapping[str, object]:
        """What was written to manifest.json."""
        try:
            content = orjson.loads((self._root / version / MANIFEST).read_bytes())
        except (OSError, orjson.JSONDecodeError):
            raise NotFound("model", version) from None
        assert isinstance(content, dict)
        return content

    def active(self) -> str:
        """See the port."""
        try:
            return (self._root / ACTIVE).read_text().strip()
        except FileNotFoundError:
            return ""
        except OSError as error:
            raise Unavailable("snapshots", f"the snapshot folder can not be read: {error}") from None

    def activate(self, version: str) -> None:
        """See the port."""
        self.verified(version, pause=Pace())
        pointer = self._root / f".{ACTIVE}-{secrets.token_hex(4)}"
        pointer.write_text(version + "\n")
        _fsync(pointer)
        pointer.replace(self._root / ACTIVE)
        _fsync(self._root)

    def versions(self) -> Sequence[str]:
        """See the port."""
        if not self._root.is_dir():
            return []
        return sorted((p.name for p in self._root.iterdir() if _VERSION.match(p.name)), reverse=True)

    def prune(self, keep: int) -> Sequence[str]:
        """See the port."""
        active = self.active()
        gone = [v for v in self.versions()[keep:] if v != active]
        for version in gone:
            shutil.rmtree(self._root / version, ignore_errors=True)
        return gone


def _corrupt(version: str, name: str, what: str) -> FailedPrecondition:
    return FailedPrecondition(f"model {version}: {name} {what}", reason="SNAPSHOT_CORRUPT")


def _sha256(path: Path, pause: Callable[[], None] = no_pause) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as content:
        while some := content.read(HASHED_AT_ONCE):
            digest.update(some)
            pause()
    return digest.hexdigest()


def _fsync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
