"""Coverage-guided fuzzing with atheris: `python -m tests.fuzzing TARGET [--seconds 60]`; "all" is every target in turn.

What breaks is written to OUT/TARGET-crash-…; put it into tests/fuzzing/crashes/TARGET/ when it is mended, so that the
tests keep trying it. Exits with 1 when something broke.
"""

from __future__ import annotations

import argparse
import hashlib
import subprocess
import sys
from pathlib import Path

from meshkit.settings import ROOT

INPUT_S = 5  # longest that one input may take
MAX_BYTES = 4_096
NAMES = ("filters", "products", "events", "online_retail")


def main() -> int:
    """Each target runs in a process of its own, for libFuzzer never returns."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.fuzzing", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("target", choices=["all", *NAMES])
    parser.add_argument("--seconds", type=int, default=60, help="for each target")
    parser.add_argument("--out", type=Path, default=ROOT / "out" / "fuzz", help="folder of inputs and finds")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.inside:
        fuzz(given.target, given.out, given.seconds)
    broken = 0
    for name in NAMES if given.target == "all" else (given.target,):
        command = [sys.executable, "-m", "tests.fuzzing", name, "--inside"]
        command += ["--seconds", str(given.seconds), "--out", str(given.out)]
        broken += subprocess.run(command, timeout=given.seconds + 120, check=False).returncode != 0
    return 1 if broken else 0


def fuzz(name: str, out: Path, seconds: int) -> None:
    """Fuzzes one target in this process, and ends it."""
    import atheris

    with atheris.instrument_imports(include=["feeds", "meshkit.filtering", "meshkit.product_card", "lark"]):
        from tests.fuzzing.targets import SEEDS, TARGETS, WORDS

    corpus = out / name
    corpus.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(SEEDS[name]):
        (corpus / f"seed-{number}").write_bytes(seed)
    words = out / f"{name}.dict"
    words.write_text("".join(f'"{word}"\n' for word in WORDS[name]))
    bounds = [f"-max_total_time={seconds}", f"-timeout={INPUT_S}", f"-max_len={MAX_BYTES}", "-len_control=20"]
    shown = ["-print_final_stats=1", "-verbosity=0", f"-artifact_prefix={out}/{name}-"]
    arguments = [sys.argv[0], str(corpus), f"-dict={words}", *bounds, *shown]

    def once(data: bytes) -> None:
        try:
            TARGETS[name](data)
        except BaseException:
            (out / f"{name}-crash-{hashlib.sha256(data).hexdigest()[:12]}").write_bytes(data)
            raise

    atheris.Setup(arguments, once)
    atheris.Fuzz()


if __name__ == "__main__":
    sys.exit(main())
