"""`recomesh doctor`: what stands in the way, and how to mend it."""

from __future__ import annotations

from collections.abc import Sequence

import typer

from meshkit import logs
from recomesh_cli import console
from recomesh_cli.checks import Check, Verdict, run_checks
from recomesh_cli.failures import FAILED
from recomesh_cli.options import AsJson

_MARKS = {Verdict.OK: "[green]ok[/]", Verdict.WARN: "[yellow]warn[/]", Verdict.FAIL: "[red]fail[/]"}


def doctor(as_json: AsJson = False) -> None:
    """Check settings, ports, disk, model weights, backends and clock, and say how to fix what is wrong.

    Exits with 1 when something fails; a warning is no failure.

    Example: `recomesh doctor`
    """
    logs.configure("doctor", level="error")
    checks = run_checks()
    if as_json:
        rows = [{"name": c.name, "verdict": c.verdict.value, "found": c.found, "fix": c.fix} for c in checks]
        console.write_json({"healthy": _healthy(checks), "checks": rows})
    else:
        out = console.out()
        for check in checks:
            out.print(f"{_MARKS[check.verdict]:<18} [bold]{check.name}[/]: {console.escaped(check.found)}")
            if check.fix and check.verdict is not Verdict.OK:
                out.print(f"      fix: {console.escaped(check.fix)}")
    if not _healthy(checks):
        raise typer.Exit(FAILED)


def _healthy(checks: Sequence[Check]) -> bool:
    return all(check.verdict is not Verdict.FAIL for check in checks)
