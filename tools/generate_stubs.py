"""Regenerates `gen/` from `proto/`: messages, gRPC stubs and type stubs.

`python tools/generate_stubs.py [--proto DIR] [--out DIR]` reads and writes the folders given. The output depends only
on the protos and on the pinned versions of grpcio-tools and mypy-protobuf, so a test can compare it byte for byte.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from importlib.resources import files
from pathlib import Path

from google.type import money_pb2
from grpc_tools import protoc

ROOT = Path(__file__).resolve().parent.parent


def generate(source: Path, out: Path) -> None:
    """Writes a stub below `out` for every proto below `source`; earlier stubs there are deleted first.

    Raises SystemExit with protoc's status if a proto does not compile; protoc has then printed file and line.
    """
    protos = sorted(str(p.relative_to(source)) for p in (source / "recomesh").rglob("*.proto"))
    shutil.rmtree(out / "recomesh", ignore_errors=True)
    out.mkdir(parents=True, exist_ok=True)
    os.environ["PATH"] = (
        f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"  # protoc-gen-mypy stands there
    )
    status = protoc.main(
        [
            "protoc",
            f"-I{source}",
            f"-I{Path(str(files('grpc_tools'))) / '_proto'}",
            f"-I{Path(money_pb2.__file__).parents[2]}",
            f"--python_out={out}",
            f"--grpc_python_out={out}",
            f"--mypy_out=quiet:{out}",
            f"--mypy_grpc_out=quiet:{out}",
            *protos,
        ]
    )
    if status:
        raise SystemExit(status)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=ROOT / "gen", help="folder to write to (default: gen)")
    parser.add_argument("--proto", type=Path, default=ROOT / "proto", help="folder of the protos (default: proto)")
    given = parser.parse_args()
    generate(given.proto, given.out)


if __name__ == "__main__":
    main()
