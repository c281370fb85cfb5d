"""How a command fails: one clear line with the fix on standard error, and an exit code.

1: the command was understood and did not work. 2: it was called wrongly, or a setting is wrong. 130: Ctrl-C.
"""

from __future__ import annotations

from typing import Any

import typer
from typer.core import TyperGroup

from meshkit.errors import (
    DeadlineExceeded,
    FailedPrecondition,
    InvalidArgument,
    RecomeshError,
    SettingsInvalid,
    Unauthenticated,
    Unavailable,
)

FAILED, MISUSED, INTERRUPTED = 1, 2, 130
_SERVICES = ("catalog", "reco", "profile")


class CommandFailed(RecomeshError):
    """The command did not work; the message says what to do."""

    reason = "COMMAND_FAILED"


class TellingGroup(TyperGroup):
    """A command group that turns errors of the mesh into one line and an exit code."""

    def invoke(self, ctx: Any) -> Any:
        """Runs the command."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            typer.echo("Interrupted.", err=True)
            raise typer.Exit(INTERRUPTED) from None
        except BrokenPipeError:
            raise typer.Exit(FAILED) from None
        except RecomeshError as error:
            for line in told(error).splitlines():
                typer.echo(f"recomesh: {line}", err=True)
            raise typer.Exit(exit_code(error)) from None


def exit_code(error: RecomeshError) -> int:
    """2 for what the caller can only mend by calling differently, else 1."""
    return MISUSED if isinstance(error, SettingsInvalid | InvalidArgument) else FAILED


def told(error: RecomeshError) -> str:
    """What went wrong and what to do about it."""
    match error:
        case Unavailable(part=part) if part in _SERVICES:
            variable = f"RECOMESH_{part.upper()}_TARGET"
            return f"{part} does not answer; start the mesh with `recomesh up`, or set {variable} to where it runs"
        case Unavailable(part=part):
            return f"{error.message}; `recomesh status` shows what is away"
        case DeadlineExceeded():
            return f"{error.message or 'no answer in time'}; `recomesh status` shows what is slow or away"
        case Unauthenticated():
            return f"{error.message}; `recomesh doctor` checks the credentials"
        case FailedPrecondition() | _:
            return error.message
