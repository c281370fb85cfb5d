"""Structured logs: one line per event, coloured for people in a terminal, JSON otherwise.

Library logs (uvicorn, Django, …) run through the same formatter, so a process has one log format.
"""

from __future__ import annotations

import logging
import sys
from typing import Literal, TextIO

import structlog

from meshkit import context
from meshkit.access_log import AccessLog

_NOISY = {
    **dict.fromkeys(("uvicorn.access", "waitress.queue", "httpx", "httpcore", "numba", "faiss"), logging.ERROR),
    **dict.fromkeys(("django.request", "alembic"), logging.ERROR),
    "uvicorn.error": logging.WARNING,
}

LogFormat = Literal["auto", "console", "json"]
access = AccessLog()  # of this process, as `configure` made it


def configure(process: str, *, format: LogFormat = "auto", level: str = "info", stream: TextIO | None = None) -> None:
    """Sends every log of this process to `stream` (standard error), marked with the process name."""
    stream = stream or sys.stderr
    console = format == "console" or (format == "auto" and stream.isatty())
    shared: list[structlog.typing.Processor] = [
        _add_request,
        structlog.stdlib.add_log_level,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="%H:%M:%S.%f" if console else "iso", utc=not console),
        _name_process(process),
    ]
    renderer: structlog.typing.Processor = (
        structlog.dev.ConsoleRenderer(colors=stream.isatty(), pad_event_to=0)
        if console
        else structlog.processors.JSONRenderer()
    )
    tail: list[structlog.typing.Processor] = [structlog.stdlib.ProcessorFormatter.remove_processors_meta]
    if not console:
        tail.append(structlog.processors.format_exc_info)
    global access
    access = AccessLog(process, None if console else stream, on=level in ("debug", "info"))
    handler = logging.StreamHandler(stream)
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processors=[*tail, renderer]))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for noisy, least in _NOISY.items():
        logging.getLogger(noisy).setLevel(max(least, root.level))
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )


def _add_request(_: object, __: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    if request_id := context.request_id():
        event.setdefault("request_id", request_id)
    if caller := context.caller_subject():
        event.setdefault("caller", caller)
    return event


def _name_process(process: str) -> structlog.typing.Processor:
    def add(_: object, __: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
        event.setdefault("process", process)
        return event

    return add
