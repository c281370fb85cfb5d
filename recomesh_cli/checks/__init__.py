"""The checks of `recomesh doctor`, one function each."""

from recomesh_cli.checks.model import Check, Verdict
from recomesh_cli.checks.run import run_checks

__all__ = ["Check", "Verdict", "run_checks"]
