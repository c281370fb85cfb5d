"""What must never be committed."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LARGEST = 600_000
# Written in pieces, so that this file does not accuse itself.
_PARTS = ("pypi" + r"\.org", "npm" + r"js\.", "deb" + r"\.debian", "python" + "hosted", "/ro" + "ot/")
FORBIDDEN = re.compile("|".join(_PARTS))


def _tracked() -> list[Path]:
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
    return [ROOT / name for name in listed.decode().split("\0") if name and (ROOT / name).is_file()]


def test_no_tracked_file_is_large() -> None:
    assert [str(p.relative_to(ROOT)) for p in _tracked() if p.stat().st_size > LARGEST] == []


def test_no_tracked_file_names_a_registry_host_or_a_home_folder() -> None:
    guilty = []
    for path in _tracked():
        try:
            text = path.read_text()
        except UnicodeDecodeError:
            continue
        if FORBIDDEN.search(text):
            guilty.append(str(path.relative_to(ROOT)))
    assert guilty == []
