"""Lints the contracts with buf and refuses changes that break the released ones.

buf comes from npm (`@bufbuild/buf`, kept under out/). The google.* imports are taken from the installed Python
package, so nothing else is fetched. `--release` writes the present contracts as the new baseline of `buf breaking`.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from google.type import money_pb2

ROOT = Path(__file__).resolve().parent.parent
BASELINE = ROOT / "proto/released.binpb"
BUF_VERSION = "1.75.0"
WORKSPACE = """\
version: v2
modules:
  - path: proto
  - path: google_types
    lint: {{ignore: [google_types]}}
    breaking: {{ignore: [google_types]}}
{rules}"""


def buf_binary() -> Path:
    """Path of buf, installed on first use. Exits with a clear line where npm is missing."""
    prefix = ROOT / "out/buf"
    found = sorted(prefix.glob("node_modules/@bufbuild/buf-*/bin/buf"))
    if not found:
        if shutil.which("npm") is None:
            raise SystemExit("buf needs npm (Debian: apt-get install npm)")
        prefix.mkdir(parents=True, exist_ok=True)
        package = f"@bufbuild/buf@{BUF_VERSION}"
        flags = ["--no-save", "--ignore-scripts", "--loglevel=error", "--prefix", str(prefix)]
        subprocess.run(["npm", "install", *flags, package], check=True, timeout=300, stdout=subprocess.DEVNULL)
        found = sorted(prefix.glob("node_modules/@bufbuild/buf-*/bin/buf"))
    return found[0]


def lay_out(workspace: Path) -> None:
    """Copies proto/ and the google.* protos it imports into a buf workspace."""
    shutil.copytree(ROOT / "proto", workspace / "proto", ignore=shutil.ignore_patterns("buf.yaml", "*.binpb", "*.json"))
    installed = Path(money_pb2.__file__).parents[2]
    for name in ("google/type/money.proto", "google/rpc/status.proto"):
        (workspace / "google_types" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(installed / name, workspace / "google_types" / name)
    rules = (ROOT / "proto/buf.yaml").read_text().partition("lint:")[2]
    (workspace / "buf.yaml").write_text(WORKSPACE.format(rules="lint:" + rules))


def main() -> None:
    """Exit status 0 when clean."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--release", action="store_true", help="make the present contracts the baseline")
    release = parser.parse_args().release
    buf = buf_binary()
    with tempfile.TemporaryDirectory() as folder:
        workspace = Path(folder)
        lay_out(workspace)
        steps = [["lint"]]
        build, compare = ["build", "proto", "-o", str(BASELINE)], ["breaking", "proto", "--against", str(BASELINE)]
        steps.append(build if release else compare)
        for step in steps:
            done = subprocess.run([buf, *step], cwd=workspace, timeout=120, check=False)
            if done.returncode:
                sys.exit(f"buf {step[0]} failed")
            print(f"buf {step[0]}: ok")


if __name__ == "__main__":
    main()
