"""Checks of what the mesh is made of: settings, service config, running services."""

from __future__ import annotations

import asyncio
import json

from meshkit.errors import SettingsInvalid
from meshkit.settings import MeshSettings
from recomesh_cli.checks.model import Check, Verdict
from recomesh_cli.mesh.processes import PROCESSES
from recomesh_cli.mesh.readiness import ProcessState, ask_state, state_client


def check_settings() -> list[Check]:
    """Every variable is known and well-formed."""
    from recomesh_cli.commands.config import all_effective

    try:
        rows = all_effective()
    except SettingsInvalid as error:
        return [Check("settings", Verdict.FAIL, line, "correct or unset it") for line in error.message.splitlines()]
    given = [row.variable for row in rows if row.source != "default"]
    return [Check("settings", Verdict.OK, ", ".join(given) or "all defaults")]


def check_service_config(settings: MeshSettings) -> Check:
    """Deadlines and retries can be read."""
    path = settings.service_config
    try:
        entries = json.loads(path.read_text())["methodConfig"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        fix = "unset RECOMESH_SERVICE_CONFIG to use proto/service_config.json"
        return Check("service config", Verdict.FAIL, f"{path}: {error}", fix)
    return Check("service config", Verdict.OK, f"{path}: {len(entries)} entries")


def check_processes(settings: MeshSettings) -> list[Check]:
    """Running processes are ready; a mesh that is not running is no failure."""

    async def ask() -> list[ProcessState]:
        async with state_client(settings) as client:
            return list(await asyncio.gather(*(ask_state(client, settings, process) for process in PROCESSES)))

    states = asyncio.run(ask())
    if not any(state.answers for state in states):
        return [Check("mesh", Verdict.OK, "not running; `recomesh up` starts it")]
    return [
        Check(
            f"process {state.process.name}",
            Verdict.OK if state.ready else Verdict.FAIL,
            state.summary,
            "its log says why; `recomesh up` starts what is missing",
        )
        for state in states
    ]
