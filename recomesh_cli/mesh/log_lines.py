"""The logs of all processes as one stream: coloured lines for people, untouched JSON for machines."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, TextIO

import orjson
from rich.text import Text

from recomesh_cli.mesh.processes import PROCESSES

_COLOURS = {p.name: p.colour for p in PROCESSES}
_LEVELS = {"debug": "dim", "info": "", "warning": "bold yellow", "error": "bold red", "critical": "bold red"}
_OWN = ("event", "level", "timestamp", "process", "logger", "request_id", "exception")


class LogStream:
    """Writes lines of the processes and the supervisor's own. `console`: for people, on `stream`; else JSON."""

    def __init__(self, *, console: bool, stream: TextIO | None = None) -> None:
        self.console = console
        self._stream = stream or sys.stderr
        self.show: Any = None  # a Rich console while a live display is up; lines then go above it

    def child_event(self, process: str, fields: Mapping[str, Any]) -> None:
        """An event that a process logged."""
        self._write(process, fields)

    def loose_lines(self, process: str, lines: Sequence[bytes]) -> None:
        """Lines of a process that are no events (a traceback at import): told as one event, the last line leading."""
        texts = [line.decode("utf-8", "replace").rstrip().rpartition("\r")[2] for line in lines]
        texts = [text for text in texts if text.strip()]
        if not texts:
            return
        fields = {"event": texts[-1], "level": "warning", "timestamp": _now(), "process": process}
        self._write(process, fields if len(texts) == 1 else {**fields, "exception": "\n".join(texts)})

    def say(self, event: str, *, level: str = "info", **fields: object) -> None:
        """An event of the supervisor."""
        self._write("up", {**fields, "event": event, "level": level, "timestamp": _now(), "process": "up"})

    def _write(self, process: str, fields: Mapping[str, Any]) -> None:
        if not self.console:
            self._stream.write(orjson.dumps(fields, default=str).decode() + "\n")
            self._stream.flush()
            return
        line = rendered(process, fields)
        if self.show is not None:
            self.show.print(line)
            return
        from rich.console import Console

        Console(file=self._stream, force_terminal=self._stream.isatty(), soft_wrap=True).print(line)


def rendered(process: str, fields: Mapping[str, Any]) -> Text:
    """`12:00:01.123 catalog  ready store=ok`; an exception follows on its own lines."""
    level = str(fields.get("level", "info"))
    line = Text()
    line.append(_clock(str(fields.get("timestamp", ""))) + " ", style="dim")
    line.append(f"{process:<8}", style=_COLOURS.get(process, "bold"))
    if level not in ("info", "debug"):
        line.append(f"{level} ", style=_LEVELS.get(level, ""))
    line.append(str(fields.get("event", "")), style=_LEVELS.get(level, ""))
    for name, value in fields.items():
        if name not in _OWN:
            line.append(f" {name}=", style="dim")
            line.append(value if isinstance(value, str) else orjson.dumps(value, default=str).decode())
    if request_id := fields.get("request_id"):
        line.append(f" {str(request_id)[:8]}", style="dim")
    if exception := fields.get("exception"):
        line.append(f"\n{exception}", style="red")
    return line


def read_event(line: bytes) -> Mapping[str, Any] | None:
    """The fields of a logged event; None for any other line."""
    try:
        fields = orjson.loads(line)
    except orjson.JSONDecodeError:
        return None
    return fields if isinstance(fields, dict) and "event" in fields else None


def _clock(timestamp: str) -> str:
    try:
        return datetime.fromisoformat(timestamp).astimezone().strftime("%H:%M:%S.%f")[:-3]
    except ValueError:
        return timestamp


def _now() -> str:
    return datetime.now(UTC).isoformat().replace("+00:00", "Z")
