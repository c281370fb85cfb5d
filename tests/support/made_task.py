"""A small task folder with planted habits: visitors stay within one group of products."""

import gzip
import json
import random
from pathlib import Path

GROUPS, IN_GROUP = 6, 8
STRAYS = 0.3  # of the sessions end with a product of the next group
START_S = 1_700_000_000


def write_made_task(
    folder: Path, *, sessions: int = 400, questions: int = 60, seed: int = 3, begin_s: int = START_S
) -> Path:
    """Sessions of 3 to 5 products of one group, one an hour from `begin_s` on; each question shows two of a group and
    wants two others of it."""
    rng = random.Random(seed)
    folder.mkdir(parents=True, exist_ok=True)
    groups = [[f"p{g}{i}" for i in range(IN_GROUP)] for g in range(GROUPS)]
    rows = ["visitor_id,session_id,product_id,event_type,timestamp,quantity,price"]
    for at in range(sessions):
        group = groups[at % GROUPS]
        strays = rng.sample(groups[(at + 1) % GROUPS], 1) if rng.random() < STRAYS else []
        for step, product_id in enumerate(rng.sample(group, rng.randint(3, 5)) + strays):
            rows.append(f"v{at % 90},s{at},{product_id},purchase,{begin_s + at * 3600 + step},1,2.5")
    _zip(folder / "train.csv.gz", rows)
    products = ["product_id,title,description,category,brand,price"]
    products += [f"{p},thing {p} of kind {g},,Kind {g},,2.5" for g, group in enumerate(groups) for p in group]
    _zip(folder / "products.csv.gz", products)
    asked, truth = [], []
    for at in range(questions):
        a, b, *rest = rng.sample(groups[at % GROUPS], 4)
        asked.append({"query_id": f"q{at}", "history": [a, b], "exclude": [a, b]})
        truth.append({"query_id": f"q{at}", "relevant": rest})
    _lines(folder / "queries.jsonl", asked)
    _lines(folder / "truth.jsonl", truth)
    return folder


def _zip(path: Path, rows: list[str]) -> None:
    with gzip.open(path, "wt") as out:
        out.write("\n".join(rows) + "\n")


def _lines(path: Path, rows: list[dict[str, object]]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
