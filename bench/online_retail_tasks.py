"""Rebuilds two evaluation tasks from UCI Online Retail: `python -m bench.online_retail_tasks FILE.csv.gz --out DIR`.

The file is the public one (DOI 10.24432/C5BW33, CC BY 4.0) as CSV, plain or gzipped, with its columns InvoiceNo,
StockCode, Description, Quantity, InvoiceDate, UnitPrice, CustomerID. docs/evaluation.md says what the tasks ask.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import io
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

TEST_SHARE = 0.1
LEAST_PRODUCTS = 4  # distinct products of a basket that is asked about


@dataclass
class Invoice:
    """One order: its products in order of the lines, each once, with the quantity and price of its first line."""

    number: str
    visitor: str
    at_s: int
    lines: dict[str, tuple[int, float]] = field(default_factory=dict)


@dataclass(frozen=True)
class Query:
    """A question of a task."""

    history: Sequence[str]
    relevant: Sequence[str]
    exclude: Sequence[str]
    visitor: str = ""


def main() -> None:
    """Reads, splits, writes both folders and prints their counts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("csv", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    rows = list(clean_rows(given.csv))
    invoices = invoices_of(rows)
    split_s = split_time(invoices)
    train = [invoice for invoice in invoices if invoice.at_s < split_s]
    test = [invoice for invoice in invoices if invoice.at_s >= split_s]
    known = {product for invoice in train for product in invoice.lines}
    products = product_rows(rows, known)
    for name, queries in (("basket", baskets(test, known)), ("next", next_orders(train, test, known))):
        counts = write_task(given.out / f"online_retail_{name}", train, products, queries)
        print(f"online_retail_{name}", json.dumps({"split_timestamp": split_s, **counts}))


def clean_rows(path: Path) -> Iterable[Mapping[str, str]]:
    """Lines of sales: quantity and price above 0, no cancellation, a stock code of five digits and perhaps letters,
    in capitals (a few lines have 85123a for 85123A)."""
    with _opened(path) as raw, io.TextIOWrapper(raw, encoding="utf-8-sig", newline="") as lines:
        for row in csv.DictReader(lines):
            sale = float(row["Quantity"]) > 0 and float(row["UnitPrice"]) > 0 and not row["InvoiceNo"].startswith("C")
            code = row["StockCode"].strip().upper()
            if sale and len(code) >= 5 and code[:5].isdigit():
                yield {**row, "StockCode": code}


def _opened(path: Path) -> IO[bytes]:
    return gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb")


def invoices_of(rows: Iterable[Mapping[str, str]]) -> list[Invoice]:
    """In order of time, then of the file. An order without customer has its own number as visitor."""
    found: dict[str, Invoice] = {}
    for row in rows:
        number, product = row["InvoiceNo"], row["StockCode"]
        at = datetime.fromisoformat(row["InvoiceDate"]).replace(tzinfo=UTC)
        visitor = row["CustomerID"] or f"guest-{number}"
        invoice = found.setdefault(number, Invoice(number, visitor, int(at.timestamp())))
        invoice.lines.setdefault(product, (int(float(row["Quantity"])), float(row["UnitPrice"])))
    return sorted(found.values(), key=lambda invoice: invoice.at_s)


def split_time(invoices: Sequence[Invoice]) -> int:
    """When the newest TEST_SHARE of the invoices begin."""
    return invoices[int(len(invoices) * (1 - TEST_SHARE))].at_s


def baskets(test: Sequence[Invoice], known: set[str]) -> list[Query]:
    """First half of an order of at least LEAST_PRODUCTS known products → the rest of it."""
    queries = []
    for invoice in test:
        products = [product for product in invoice.lines if product in known]
        half = len(products) // 2
        if len(products) >= LEAST_PRODUCTS:
            queries.append(Query(products[:half], products[half:], products[:half]))
    return queries


def next_orders(train: Sequence[Invoice], test: Sequence[Invoice], known: set[str]) -> list[Query]:
    """All that a customer bought before, in order, repeats kept → what is new in the customer's next order
    of products that were known before."""
    histories: dict[str, list[str]] = {}
    for invoice in train:
        histories.setdefault(invoice.visitor, []).extend(invoice.lines)
    queries, asked = [], set()
    for invoice in test:
        if invoice.visitor in asked or invoice.visitor not in histories or not known & invoice.lines.keys():
            continue
        asked.add(invoice.visitor)
        history = histories[invoice.visitor]
        fresh = [product for product in invoice.lines if product in known and product not in set(history)]
        if fresh:
            queries.append(Query(history, fresh, sorted(set(history)), invoice.visitor))
    return queries


def product_rows(rows: Iterable[Mapping[str, str]], known: set[str]) -> list[tuple[str, str, float]]:
    """Id, the description met most, the median price of every known product, by id."""
    titles: dict[str, Counter[str]] = {product: Counter() for product in known}
    prices: dict[str, list[float]] = {product: [] for product in known}
    for row in rows:
        product = row["StockCode"]
        if product in known:
            titles[product][row["Description"].strip()] += 1
            prices[product].append(float(row["UnitPrice"]))
    return [
        (product, max(titles[product].items(), key=lambda at: (at[1], at[0]))[0], sorted(p)[len(p) // 2])
        for product, p in sorted(prices.items())
    ]


def write_task(
    folder: Path, train: Sequence[Invoice], products: Sequence[tuple[str, str, float]], queries: Sequence[Query]
) -> Mapping[str, float]:
    """Writes the four files; the counts to compare with."""
    folder.mkdir(parents=True, exist_ok=True)
    events = [
        (i.visitor, i.number, product, "purchase", i.at_s, quantity, price)
        for i in train
        for product, (quantity, price) in i.lines.items()
    ]
    header = ("visitor_id", "session_id", "product_id", "event_type", "timestamp", "quantity", "price")
    _write_csv(folder / "train.csv.gz", header, events)
    _write_csv(folder / "products.csv.gz", ("product_id", "title", "price"), products)
    asked = [
        {"query_id": f"q{at:06d}", "history": list(q.history), "exclude": list(q.exclude)}
        | ({"visitor_id": q.visitor} if q.visitor else {})
        for at, q in enumerate(queries)
    ]
    truth = [{"query_id": f"q{at:06d}", "relevant": list(q.relevant)} for at, q in enumerate(queries)]
    for name, lines in (("queries", asked), ("truth", truth)):
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return {
        "train_events": len(events),
        "visitors": len({i.visitor for i in train}),
        "sessions": len(train),
        "products": len(products),
        "queries": len(queries),
        "mean_history": round(sum(len(q.history) for q in queries) / len(queries), 2),
        "mean_relevant": round(sum(len(q.relevant) for q in queries) / len(queries), 2),
    }


def _write_csv(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Gzipped, with the same bytes for the same rows."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(header)
    writer.writerows(rows)
    path.write_bytes(gzip.compress(text.getvalue().encode(), mtime=0))


if __name__ == "__main__":
    main()
