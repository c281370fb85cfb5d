"""The folder of a backup.

manifest.json           written last: what is in the folder, with counts and SHA-256; without it nothing is a backup
<section>.jsonl.gz      one JSON object a line
snapshots/<version>/…   the files of trained models, as they are
"""

from __future__ import annotations

import gzip
import hashlib
import os
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson

from meshkit.backup.port import Record
from meshkit.errors import FailedPrecondition

FORMAT, FORMAT_VERSION, MANIFEST = "recomesh-backup", 1, "manifest.json"
_LEVEL = 3  # of gzip: a third of the time of the default for a tenth more bytes


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup says of itself: number and content of the records by section, SHA-256 by file, facts for people."""

    made_at: str
    records: dict[str, int]
    content: dict[str, str]
    sha256: dict[str, str]
    facts: dict[str, Any]


class Tally:
    """Counts records and sums up their content, whatever their order: the sum of the SHA-256 of each, modulo 2^256."""

    def __init__(self) -> None:
        self.count = 0
        self._sum = 0

    def line(self, record: Record) -> bytes:
        """The record as a line of JSON, keys sorted; it is counted."""
        line = orjson.dumps(record, option=orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE)
        self.count += 1
        self._sum = (self._sum + int.from_bytes(hashlib.sha256(line).digest())) % (1 << 256)
        return line

    @property
    def content(self) -> str:
        """64 hexadecimal digits."""
        return f"{self._sum:064x}"


class ArchiveWriter:
    """Writes beside the folder and gives it its name at the end, so that half a backup never looks like one."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._draft = folder.with_name(f".{folder.name}.unfinished")
        self._records: dict[str, int] = {}
        self._content: dict[str, str] = {}
        self._sha256: dict[str, str] = {}

    def begin(self) -> None:
        """FailedPrecondition (BACKUP_EXISTS) if something stands where the backup shall be."""
        if self._folder.exists() and (not self._folder.is_dir() or any(self._folder.iterdir())):
            raise FailedPrecondition(f"{self._folder} is not empty; name a new folder", reason="BACKUP_EXISTS")
        shutil.rmtree(self._draft, ignore_errors=True)
        self._draft.mkdir(parents=True)

    def add(self, section: str, records: Iterable[Record]) -> int:
        """Writes a section; returns how many records it has."""
        name, tally = f"{section}.jsonl.gz", Tally()
        with gzip.open(self._draft / name, "wb", compresslevel=_LEVEL) as file:
            for record in records:
                file.write(tally.line(record))
        self._records[section], self._content[section] = tally.count, tally.content
        self._sha256[name] = file_sha256(self._draft / name)
        return tally.count

    def copy(self, source: Path, name: str) -> None:
        """Adds a file as it is, under a name with slashes."""
        target = self._draft / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
        self._sha256[name] = file_sha256(target)

    def finish(self, facts: dict[str, Any]) -> Manifest:
        """The backup is whole and durable afterwards."""
        manifest = Manifest(
            datetime.now(UTC).isoformat(timespec="seconds"), self._records, self._content, self._sha256, facts
        )
        body = {"format": FORMAT, "format_version": FORMAT_VERSION, "made_at": manifest.made_at}
        body |= {"records": manifest.records, "content": manifest.content, "sha256": manifest.sha256}
        body |= {"facts": manifest.facts}
        (self._draft / MANIFEST).write_bytes(orjson.dumps(body, option=orjson.OPT_INDENT_2))
        for path in [*self._draft.rglob("*"), self._draft]:
            _fsync(path)
        if self._folder.exists():
            self._folder.rmdir()
        self._draft.rename(self._folder)
        _fsync(self._folder.parent)
        return manifest

    def abandon(self) -> None:
        """Removes what was written so far."""
        shutil.rmtree(self._draft, ignore_errors=True)


class ArchiveReader:
    """A backup that was verified: every file is there and is what was written."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.manifest = _read_manifest(folder)
        for name, expected in self.manifest.sha256.items():
            path = folder / name
            if not path.resolve().is_relative_to(folder.resolve()) or not path.is_file():
                raise _corrupt(folder, f"{name} is missing")
            if file_sha256(path) != expected:
                raise _corrupt(folder, f"{name} does not match its checksum")
        for section in self.manifest.records:
            if f"{section}.jsonl.gz" not in self.manifest.sha256:
                raise _corrupt(folder, f"{section} has no file")

    def records(self, section: str) -> Iterator[Record]:
        """See `port.Records`. FailedPrecondition (BACKUP_CORRUPT) if there are more or fewer than the manifest says."""
        expected, count = self.manifest.records.get(section), 0
        if expected is None:
            return
        with gzip.open(self._folder / f"{section}.jsonl.gz", "rb") as file:
            for line in file:
                yield orjson.loads(line)
                count += 1
        if count != expected:
            raise _corrupt(self._folder, f"{section} has {count} records, not {expected}")

    def files(self, below: str) -> Iterator[tuple[str, Path]]:
        """Files that were copied under a name, by the rest of their name."""
        for name in self.manifest.sha256:
            if name.startswith(f"{below}/"):
                yield name.removeprefix(f"{below}/"), self._folder / name


def file_sha256(path: Path) -> str:
    """Hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _read_manifest(folder: Path) -> Manifest:
    try:
        body = orjson.loads((folder / MANIFEST).read_bytes())
        if (body["format"], body["format_version"]) != (FORMAT, FORMAT_VERSION):
            raise _corrupt(folder, f"this release reads {FORMAT} version {FORMAT_VERSION}")
        parts = (dict(body[name]) for name in ("records", "content", "sha256", "facts"))
        return Manifest(str(body["made_at"]), *parts)
    except FileNotFoundError:
        raise FailedPrecondition(f"{folder} is no finished backup: it has no {MANIFEST}", reason="NO_BACKUP") from None
    except (OSError, orjson.JSONDecodeError, KeyError, TypeError, ValueError) as error:
        raise _corrupt(folder, f"{MANIFEST} can not be read ({type(error).__name__})") from None


def _corrupt(folder: Path, what: str) -> FailedPrecondition:
    return FailedPrecondition(f"the backup {folder} is damaged: {what}", reason="BACKUP_CORRUPT")


def _fsync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
