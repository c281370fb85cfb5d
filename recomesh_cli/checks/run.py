"""All checks in the order people read them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from meshkit.errors import SettingsInvalid
from meshkit.settings import MeshSettings, load
from recomesh_cli.checks import machine, parts
from recomesh_cli.checks.backends import ask_backends
from recomesh_cli.checks.model import Check
from recomesh_cli.checks.queue import check_spools
from recomesh_cli.checks.weights import check_spark, check_torch, check_weights

if TYPE_CHECKING:
    from queue_workers.settings import WorkerSettings


def run_checks() -> list[Check]:
    """Everything that can be checked with these settings; wrong settings are told and end it."""
    checks = parts.check_settings()
    try:
        settings = load(MeshSettings)
    except SettingsInvalid:
        return checks
    return [*checks, *_of_machine(settings), *_of_parts(settings)]


def _of_machine(settings: MeshSettings) -> Iterator[Check]:
    yield machine.check_python(settings)
    yield machine.check_home(settings)
    yield machine.check_disk(settings)
    yield machine.check_memory(settings)
    yield machine.check_clock(settings)
    yield from machine.check_ports(settings)


def _of_parts(settings: MeshSettings) -> Iterator[Check]:
    yield parts.check_service_config(settings)
    yield check_torch()
    workers = _of_workers()
    yield check_weights(workers.worker_weights)
    yield check_spark(workers.worker_engine == "spark")
    yield from (backend.check for backend in ask_backends(settings, thorough=True))
    yield from check_spools(settings)
    yield from parts.check_processes(settings)


def _of_workers() -> WorkerSettings:
    from queue_workers.settings import WorkerSettings

    return load(WorkerSettings)
