"""Peers on a task: `python -m bench.peers TASKDIR --out DIR [--also auto.jsonl] [--only EASE,V-SKNN]`.

Each peer is tuned on a validation cut inside the training events, trained on all of them and asked the task's
questions. Writes one predictions file per peer, choices.json, and a table with 95 % bootstrap intervals. `--also` adds
predictions made elsewhere (`recomesh evaluate TASKDIR --predictions auto.jsonl`) to the table. Needs the extra "bench".
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from time import perf_counter

import numpy as np
import orjson

from bench.peers.factor_models import Als, Bpr
from bench.peers.item_models import Ease, ItemKnn, Npmi, Popularity, Transitions
from bench.peers.material import Asked, Material, of_task, validation
from bench.peers.model import Peer
from bench.peers.session_knn import Vsknn
from bench.peers.tuning import LENGTH, answer, tune
from meshkit.errors import InvalidArgument
from reco_svc.domain.evaluation.bootstrap import Resampled
from reco_svc.domain.learning.metrics import METRICS, per_question
from reco_svc.domain.ports import Rows
from reco_svc.service.evaluation_folder import read_task

PEERS: Sequence[Peer] = (Popularity(), ItemKnn(), Ease(), Vsknn(), Transitions(), Npmi(), Als(), Bpr())


def main() -> None:
    """Reads, tunes, trains, asks, writes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("taskdir", type=Path)
    parser.add_argument("--out", type=Path, required=True, help="folder for predictions and the table")
    parser.add_argument("--only", default="", help=f"comma-separated of: {', '.join(p.name for p in PEERS)}")
    parser.add_argument("--also", type=Path, action="append", default=[], help="more predictions for the table")
    given = parser.parse_args()
    wanted = given.only.split(",") if given.only else [peer.name for peer in PEERS]
    if unknown := set(wanted) - {peer.name for peer in PEERS}:
        parser.error(f"no such peer: {', '.join(sorted(unknown))}")
    try:
        task = read_task(given.taskdir)
    except InvalidArgument as error:
        parser.error(error.message)
    given.out.mkdir(parents=True, exist_ok=True)
    material, asked = of_task(task)
    early, known = validation(material, task)
    print(f"{task.name}: {len(asked.ids):,} questions, {len(known.ids):,} to tune on", flush=True)
    ids = [product.product_id for product in task.products]
    for peer in PEERS:
        if peer.name in wanted:
            _run(peer, material, asked, early, known, ids, given.out)
    rows = {id_: row for row, id_ in enumerate(ids)}
    files = [*sorted(given.out.glob("*.jsonl")), *given.also]
    table = _table({path.stem: _read(path, rows, asked) for path in files}, asked, len(ids))
    (given.out / "table.md").write_text(table)
    print(table)


def _run(
    peer: Peer, material: Material, asked: Asked, early: Material, known: Asked, ids: Sequence[str], out: Path
) -> None:
    begin = perf_counter()
    tuned = tune(peer, early, known, lambda line: print("  " + line, file=sys.stderr, flush=True))
    lists = answer(peer.fit(material, tuned.choice), tuned.choice, material, asked)
    name = peer.name.replace(" ", "_")
    lines = [
        orjson.dumps({"query_id": query_id, "items": [ids[row] for row in rows.tolist()]})
        for query_id, rows in zip(asked.ids, lists, strict=True)
    ]
    (out / f"{name}.jsonl").write_bytes(b"\n".join(lines) + b"\n")
    path = out / "choices.json"
    choices = orjson.loads(path.read_bytes()) if path.exists() else {}
    choices[peer.name] = {**tuned.choice, "validation": round(tuned.quality, 5), "tried": tuned.tried}
    path.write_bytes(orjson.dumps(choices, option=orjson.OPT_INDENT_2))
    print(f"{peer.name}: {choices[peer.name]} in {perf_counter() - begin:.0f} s", flush=True)


def _read(path: Path, rows: Mapping[str, int], asked: Asked) -> list[Rows]:
    found = {row["query_id"]: row["items"] for row in map(orjson.loads, path.read_bytes().splitlines())}
    return [np.array([rows[id_] for id_ in found[query_id][:LENGTH]], np.int64) for query_id in asked.ids]


def _table(systems: Mapping[str, Sequence[Rows]], asked: Asked, products: int) -> str:
    """Markdown, the best of recall@20 first; coverage@10 is the share of all products that are in any first ten."""
    values = {name: per_question([r.tolist() for r in lists], asked.relevant) for name, lists in systems.items()}
    resampled = {metric: Resampled({n: v[metric] for n, v in values.items()}) for metric in METRICS}
    order = sorted(systems, key=lambda name: -resampled["recall@20"].figure(name).value)
    lines = [f"| system | {' | '.join(METRICS)} | coverage@10 |", "|---" * (2 + len(METRICS)) + "|"]
    for name in order:
        figures = [resampled[metric].figure(name) for metric in METRICS]
        cells = [f"{figure.value:.4f} ({figure.low:.4f}–{figure.high:.4f})" for figure in figures]
        covered = len({row for rows in systems[name] for row in rows[:10].tolist()}) / products
        lines.append(f"| {name.replace('_', ' ')} | {' | '.join(cells)} | {covered:.3f} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
