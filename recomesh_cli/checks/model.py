"""What a check finds."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """ok, worth knowing, or in the way."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Check:
    """One line: what was looked at, what was found, and how to mend it ("" when there is nothing to mend)."""

    name: str
    verdict: Verdict
    found: str
    fix: str = ""


@dataclass(frozen=True, slots=True)
class Backend:
    """What is behind a port, as it answered now.

    `latency_ms` is the time of one question, None when there was no answer or nothing to ask; `trouble` says what is
    wrong ("": nothing), `fix` how to mend it. `place` is a URL without its password.
    """

    name: str
    kind: str
    version: str
    place: str
    latency_ms: float | None = None
    verdict: Verdict = Verdict.OK
    trouble: str = ""
    fix: str = ""

    @property
    def check(self) -> Check:
        """As a line of the doctor."""
        found = f"{self.kind} {self.version}".strip() + f" at {self.place}"
        if self.latency_ms is not None:
            found += f" answers in {self.latency_ms:.1f} ms"
        return Check(self.name, self.verdict, f"{found}: {self.trouble}" if self.trouble else found, self.fix)
