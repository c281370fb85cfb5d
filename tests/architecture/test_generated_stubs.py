"""gen/ is exactly what proto/ generates."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def _files(folder: Path) -> dict[str, bytes]:
    return {
        str(p.relative_to(folder)): p.read_bytes()
        for p in sorted(folder.rglob("*"))
        if p.is_file() and "__pycache__" not in p.parts
    }


def test_the_stubs_in_gen_are_what_the_protos_generate(tmp_path: Path) -> None:
    command = [sys.executable, str(ROOT / "tools/generate_stubs.py"), "--out", str(tmp_path)]
    subprocess.run(command, check=True, timeout=120)

    fresh, checked_in = _files(tmp_path), _files(ROOT / "gen")

    assert sorted(fresh) == sorted(checked_in), "run `make proto`"
    assert [name for name in fresh if fresh[name] != checked_in[name]] == [], "run `make proto`"
