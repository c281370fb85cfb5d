"""Shops made up for measuring: task folders like those of `recomesh evaluate`, unlike Online Retail and one another.

clicks  anonymous sessions of views: steps along a sparse chain of products, or to another product of the same subject
long    next items in long histories over years: taste, series that are followed in order, releases
cold    Online Retail with products withheld from the log: only their titles can tell who wants them

Nothing in them is tuned to what a source assumes: they are there to show when a blend loses to its best source.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

DAY_S = 86_400
START_S = 1_600_000_000
EVENT_FIELDS = ("visitor_id", "session_id", "product_id", "event_type", "timestamp", "quantity", "price")
PRODUCT_FIELDS = ("product_id", "title", "description", "category", "brand", "price")


@dataclass(slots=True)
class Shop:
    """What becomes a task folder. Events are in time order; `candidates` None: every product may be answered."""

    events: list[Sequence[object]] = field(default_factory=list)
    products: list[Sequence[object]] = field(default_factory=list)
    queries: list[Mapping[str, object]] = field(default_factory=list)
    truth: list[Mapping[str, object]] = field(default_factory=list)
    candidates: list[str] | None = None

    def ask(self, history: Sequence[str], relevant: Sequence[str], visitor: str = "") -> None:
        """Adds a question; the history is excluded from its answers."""
        query_id = f"q{len(self.queries):06d}"
        query: dict[str, object] = {"query_id": query_id, "history": list(history), "exclude": sorted(set(history))}
        self.queries.append(query | ({"visitor_id": visitor} if visitor else {}))
        self.truth.append({"query_id": query_id, "relevant": sorted(set(relevant))})

    def write(self, folder: Path) -> Path:
        """Writes the files of a task into `folder`, which is made."""
        folder.mkdir(parents=True, exist_ok=True)
        _write_csv(folder / "train.csv.gz", EVENT_FIELDS, self.events)
        _write_csv(folder / "products.csv.gz", PRODUCT_FIELDS, self.products)
        for name, rows in (("queries", self.queries), ("truth", self.truth)):
            (folder / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        if self.candidates is not None:
            (folder / "candidates.txt").write_text("".join(f"{id_}\n" for id_ in sorted(self.candidates)))
        return folder


def _write_csv(path: Path, names: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(names)
    writer.writerows(rows)
    with path.open("wb") as raw, gzip.GzipFile(fileobj=raw, mode="wb", mtime=1, compresslevel=4) as out:
        out.write(text.getvalue().encode())


def clicks(*, sessions: int = 40_000, products: int = 4_000, asked: int = 1_000, seed: int = 3) -> Shop:
    """Anonymous sessions of views over ten weeks; of the newest tenth of the time a prefix is asked for the rest."""
    rng = np.random.default_rng(seed)
    subject = rng.integers(0, products // 40, products)
    born = rng.uniform(-40, 60, products) * (rng.random(products) < 0.4)
    fame = rng.pareto(1.1, products) + 0.05
    after = [rng.choice(np.flatnonzero(subject == subject[p]), 6) for p in range(products)]
    members = [np.flatnonzero(subject == s) for s in range(products // 40)]
    shop, late = Shop(), []
    days = np.sort(rng.uniform(0, 70, sessions))
    fade = rng.uniform(10, 80, products)
    names = _ids("p", products)
    for number, day in enumerate(days.tolist()):
        lively = fame * np.exp(-np.maximum(day - born, 0) / fade) * (born <= day)
        steps = [int(rng.choice(products, p=lively / lively.sum()))]
        for _ in range(int(rng.geometric(0.28))):
            steps.append(_next_click(rng, steps[-1], after, members[subject[steps[-1]]], lively))
        if day < 63:
            at = START_S + int(day * DAY_S)
            visitor = f"s{number:07d}"
            shop.events += [(visitor, visitor, names[p], "view", at + 40 * step, 1, "") for step, p in enumerate(steps)]
        else:
            late.append(steps)
    shop.events.sort(key=lambda event: int(str(event[4])))
    seen = {str(event[2]) for event in shop.events}
    shop.products = [(name, f"Product {name}", "", "", "", "") for name in names if name in seen]
    for at in rng.permutation(len(late)).tolist():
        steps = [names[p] for p in late[at] if names[p] in seen]
        cut = int(rng.integers(1, max(2, len(steps))))
        relevant = [p for p in dict.fromkeys(steps[cut:]) if p not in steps[:cut]]
        if len(shop.queries) < asked and len(steps) > 1 and relevant:
            shop.ask(steps[:cut], relevant)
    return shop


def _next_click(
    rng: np.random.Generator, now: int, after: Sequence[np.ndarray], alike: np.ndarray, lively: np.ndarray
) -> int:
    chance = rng.random()
    if chance < 0.5:
        return int(after[now][min(int(rng.geometric(0.45)) - 1, 5)])
    if chance < 0.85:
        near = lively[alike] + 1e-9
        return int(rng.choice(alike, p=near / near.sum()))
    return int(rng.choice(len(lively), p=lively / lively.sum()))


def long_histories(*, visitors: int = 1_500, products: int = 2_000, asked: int = 1_000, seed: int = 5) -> Shop:
    """Histories of 40 to 400 products over six years, most followed in series; the last five of each are asked.

    A history is told event by event, a few a day, with no session that is worth the name.
    """
    rng = np.random.default_rng(seed)
    taste = rng.dirichlet(np.full(20, 0.25), visitors)
    subject = rng.integers(0, 20, products)
    fame = rng.pareto(1.3, products) + 0.1
    released = np.sort(rng.uniform(-1500, 2000, products))
    series = np.arange(products).reshape(-1, 5)
    shop, names = Shop(), _ids("p", products)
    told = []
    for visitor in range(visitors):
        day, seen = float(rng.uniform(0, 1500)), []
        for _ in range(int(rng.integers(40, 400) * rng.uniform(0.2, 1)) + 10):
            day += float(rng.exponential(1.5))
            seen.append((_next_item(rng, seen, taste[visitor], subject, fame, released, series, day), day))
        first: dict[int, float] = {}
        for product, at in seen:
            first.setdefault(product, at)
        told.append(list(first.items()))
    for visitor, kept in enumerate(told):
        name, history, rest = f"v{visitor:05d}", kept[:-5], kept[-5:]
        for product, day in history:
            at = START_S + int(day * DAY_S)
            shop.events.append((name, f"{name}-{int(day)}", names[product], "view", at, 1, ""))
        if visitor < asked:
            shop.ask([names[p] for p, _ in history], [names[p] for p, _ in rest], name)
    shop.events.sort(key=lambda event: int(str(event[4])))
    shop.products = [(name, f"Title {name}", "", f"Subject {subject[p]}", "", "") for p, name in enumerate(names)]
    return shop


def _next_item(
    rng: np.random.Generator,
    seen: Sequence[tuple[int, float]],
    taste: np.ndarray,
    subject: np.ndarray,
    fame: np.ndarray,
    released: np.ndarray,
    series: np.ndarray,
    day: float,
) -> int:
    if seen and rng.random() < 0.35:
        last = seen[-int(rng.integers(1, min(4, len(seen) + 1)))][0]
        row, place = divmod(last, 5)
        if place < 4:
            return int(series[row, place + 1])
    lively = fame * taste[subject] * np.where(released <= day, np.exp(-(day - released) / 900.0) + 0.1, 0.0)
    return int(rng.choice(len(fame), p=lively / lively.sum()))


def cold_of(task: Path, *, share: float = 0.15, asked: int = 1_000, only_cold: bool = True, seed: int = 9) -> Shop:
    """A task whose log has lost every event on a `share` of the products; of its events the last tenth is asked.

    History: what a session has of known products; relevant: what it has of withheld ones. `only_cold`: nothing else may
    be answered.
    """
    rng = np.random.default_rng(seed)
    products, events = _read_csv(task / "products.csv.gz"), _read_csv(task / "train.csv.gz")
    ids = sorted(row["product_id"] for row in products)
    cold = set(rng.choice(ids, int(share * len(ids)), replace=False).tolist())
    split = int(events[int(0.9 * len(events))]["timestamp"])
    shop = Shop(products=[[row[name] for name in PRODUCT_FIELDS] for row in products])
    sessions: dict[str, list[str]] = {}
    for row in events:
        if int(row["timestamp"]) >= split:
            sessions.setdefault(row["session_id"], []).append(row["product_id"])
        elif row["product_id"] not in cold:
            shop.events.append([row[name] for name in EVENT_FIELDS])
    names = sorted(sessions)
    for at in rng.permutation(len(names)).tolist():
        rows = list(dict.fromkeys(sessions[names[at]]))
        history, relevant = [p for p in rows if p not in cold], [p for p in rows if p in cold]
        if history and relevant and len(shop.queries) < asked:
            shop.ask(history[-20:], relevant)
    shop.candidates = sorted(cold) if only_cold else None
    return shop


def _read_csv(path: Path) -> list[dict[str, str]]:
    with gzip.open(path, "rt", newline="") as lines:
        return list(csv.DictReader(lines))


def _ids(prefix: str, count: int) -> list[str]:
    return [f"{prefix}{n:06d}" for n in np.random.default_rng(1).permutation(count)]
