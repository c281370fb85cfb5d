"""FerretDB 1.24.2 as a program, built once a machine with Go: `python -m tests.support.ferretdb_program` builds it.

It speaks MongoDB's wire protocol over a PostgreSQL database; Debian 12 carries no MongoDB server. The build takes about
two minutes of processor time and lands in the user's cache folder, named by the sources it was built from.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

SOURCES = Path(__file__).with_name("ferretdb")
BUILD_S = 1_500


def ferretdb_program(go: str) -> Path:
    """Path of the program; the first caller builds it, others wait. RuntimeError with Go's words if it fails."""
    digest = hashlib.sha256(b"".join((SOURCES / name).read_bytes() for name in ("main.go", "go.mod", "go.sum")))
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "recomesh" / "ferretdb"
    path = cache / digest.hexdigest()[:16]
    if path.exists():
        return path
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not path.exists():
            _build(go, path)
    return path


def _build(go: str, path: Path) -> None:
    unfinished = path.with_suffix(".unfinished")
    # The SQLite handler is never used, and its C library translated to Go is a third of the build.
    command = [go, "build", "-trimpath", "-tags", "ferretdb_no_sqlite", "-o", str(unfinished), "."]
    environment = {**os.environ, "GOFLAGS": "-mod=readonly -buildvcs=false", "CGO_ENABLED": "0"}
    done = subprocess.run(
        command, cwd=SOURCES, env=environment, capture_output=True, text=True, timeout=BUILD_S, check=False
    )
    if done.returncode:
        raise RuntimeError(
            f"FerretDB can not be built (it needs Go 1.24 and the Go module proxy):\n{done.stderr[-3000:]}"
        )
    unfinished.rename(path)


def main() -> None:
    """Builds it now, so that no test has to wait. A machine that can not is told so; it fails where servers must be."""
    go = shutil.which("go", path=os.pathsep.join([os.environ.get("PATH", ""), "/usr/local/go/bin"]))
    try:
        if go is None:
            raise RuntimeError("FerretDB needs go (Debian: apt-get install golang-go)")
        ferretdb_program(go)
    except RuntimeError as error:
        sys.stderr.write(f"{error}; tests that need it are skipped\n")
        sys.exit(1 if os.environ.get("TESTS_REQUIRE_SERVERS") else 0)


if __name__ == "__main__":
    main()
