"""Finds processes that run but do not answer: frozen, deadlocked, or caught in a loop without end."""

from __future__ import annotations

import asyncio
import time

import httpx

from meshkit.settings import MeshSettings
from recomesh_cli.mesh.child import Child
from recomesh_cli.mesh.log_lines import LogStream

ASK_INTERVAL_S = 0.5
ASK_PATIENCE_S = 1.0
SILENT_ASKS = 2  # so many in a row, whatever the clock says: this process may have been stopped itself meanwhile


async def watch(child: Child, settings: MeshSettings, log: LogStream) -> None:
    """Asks `/livez` for ever. A child that answered since it was started and is then silent for `hang_s` is killed.

    One that is still starting is left alone: it answers nothing yet, however long its imports take.
    """
    process = child.process
    url = f"{process.state_url(settings)}/livez"
    pid, answered_at, silent_asks = 0, 0.0, 0
    async with httpx.AsyncClient(timeout=ASK_PATIENCE_S, trust_env=False) as client:
        while True:
            await asyncio.sleep(ASK_INTERVAL_S)
            asked = child.pid
            if await _answers(client, url):
                pid, answered_at, silent_asks = asked, time.monotonic(), 0
                continue
            silent_asks += 1
            silent_s = time.monotonic() - answered_at
            if asked and asked == pid == child.pid and silent_asks >= SILENT_ASKS and silent_s >= process.hang_s:
                log.say("process_hangs", level="error", name=process.name, silent_s=round(silent_s, 1))
                child.kill_hung()
                pid = 0


async def _answers(client: httpx.AsyncClient, url: str) -> bool:
    """Any answer at all, be it an error, comes from a process that lives."""
    try:
        await client.get(url)
    except httpx.HTTPError:
        return False
    return True
