"""An evaluation task as a folder.

train.csv.gz     visitor_id, session_id, product_id, event_type, timestamp (Unix s), quantity, price
products.csv.gz  product_id, title, description, category, brand, price (optional: products are those of train)
queries.jsonl    {"query_id", "history": [ids, oldest first], "exclude": [ids], "visitor_id"?}
truth.jsonl      {"query_id", "relevant": [ids]} (optional: lists are made, not judged)
candidates.txt   product ids that may be answered, one a line (optional: all)

Tables may also be plain .csv. Every problem is an InvalidArgument that names file, line and field.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson

from meshkit.errors import InvalidArgument
from reco_svc.domain.model import EventType, Product
from reco_svc.domain.ports import InteractionColumns
from reco_svc.service.evaluation_table import TaskTable, existing, read_table
from reco_svc.service.evaluation_task import EvaluationTask, TaskLog, TaskQuery

EVENT_TYPES = {kind.name.lower(): kind for kind in EventType} | {
    "view": EventType.VIEW_ITEM,
    "cart": EventType.ADD_TO_CART,
}
_EVENT_FIELDS = ("visitor_id", "session_id", "product_id", "event_type", "timestamp")


def read_task(folder: Path) -> EvaluationTask:
    """Reads a folder; InvalidArgument names the file, line and field that is wrong or the file that is missing."""
    if not folder.is_dir():
        raise InvalidArgument.of(str(folder), "is no folder; a task has train.csv.gz, queries.jsonl and truth.jsonl")
    path = existing(folder / "products.csv.gz")
    products = _products(read_table(path, ("product_id",))) if path else None
    train = read_table(existing(folder / "train.csv.gz") or folder / "train.csv.gz", _EVENT_FIELDS)
    log = _log(train)
    if products is None:
        products = [Product(product_id, product_id) for product_id in sorted(set(log.columns.product_id))]
    known = {product.product_id for product in products}
    _check_known(train, known)
    candidates = _candidates(folder / "candidates.txt", known)
    queries = _queries(folder, known if candidates is None else candidates)
    return EvaluationTask(folder.resolve().name, products, log, queries, candidates)


def _log(table: TaskTable) -> TaskLog:
    types = _converted(
        table, "event_type", EVENT_TYPES.__getitem__, np.int8, f"one of {', '.join(sorted(EVENT_TYPES))}"
    )
    at_s = _converted(table, "timestamp", _unix_seconds, np.int64, "seconds since 1970, like 1321610280")
    order = np.argsort(at_s, kind="stable")
    text = {name: _taken(table.column(name), order) for name in ("visitor_id", "session_id", "product_id")}
    types = types[order]
    purchase = (types == EventType.PURCHASE).tolist()
    orders = [session if bought else "" for session, bought in zip(text["session_id"], purchase, strict=True)]
    return TaskLog(
        InteractionColumns(
            text["visitor_id"],
            text["session_id"],
            orders,
            text["product_id"],
            types,
            at_s[order],
            np.nan_to_num(_optional(table, "quantity", 1.0)[order], nan=1.0).clip(1, 1e6).astype(np.int32),
            _optional(table, "price", float("nan"))[order].astype(np.float32),
        )
    )


def _unix_seconds(text: str) -> int:
    seconds = int(float(text))
    if not 0 <= seconds < 2**33:
        raise ValueError(text)
    return seconds


def _converted(
    table: TaskTable, name: str, of: Callable[[str], int], dtype: npt.DTypeLike, allowed: str
) -> npt.NDArray[Any]:
    values = table.column(name)
    try:
        meaning = {value: of(value) for value in set(values)}
    except (KeyError, ValueError, OverflowError):
        at, wrong = next((at, v) for at, v in enumerate(values) if not _works(of, v))
        raise table.wrong(at, name, f"{allowed}, not {wrong!r}") from None
    return np.fromiter((meaning[value] for value in values), dtype, len(values))


def _works(of: Callable[[str], int], value: str) -> bool:
    try:
        of(value)
    except (KeyError, ValueError, OverflowError):
        return False
    return True


def _optional(table: TaskTable, name: str, default: float) -> npt.NDArray[np.float64]:
    """A column of numbers; blanks and a missing column are the default."""
    if name not in table.names:
        return np.full(len(table), default)
    values = table.column(name)
    try:
        return np.array([float(value) if value else default for value in values], np.float64)
    except ValueError:
        at, wrong = next((at, v) for at, v in enumerate(values) if v and not _works(lambda v: int(float(v)), v))
        raise table.wrong(at, name, f"a number or nothing, not {wrong!r}") from None


def _taken(values: Sequence[str], order: npt.NDArray[np.int64]) -> list[str]:
    return [values[at] for at in order.tolist()]


def _products(table: TaskTable) -> list[Product]:
    ids = table.column("product_id")
    if len(set(ids)) < len(ids):
        seen: set[str] = set()
        at = next(at for at, id_ in enumerate(ids) if id_ in seen or seen.add(id_))  # type: ignore[func-returns-value]
        raise table.wrong(at, "product_id", f"{ids[at]!r} stands here for the second time")
    prices = _optional(table, "price", float("nan")).tolist()
    fields = {name: table.column(name) for name in ("title", "description", "category", "brand") if name in table.names}
    blank = [""] * len(ids)
    return [
        Product(
            product_id=id_,
            title=title,
            description=description,
            categories=(category,) if category else (),
            brand=brand,
            price=None if price != price else price,
        )
        for id_, title, description, category, brand, price in zip(
            ids,
            fields.get("title", blank),
            fields.get("description", blank),
            fields.get("category", blank),
            fields.get("brand", blank),
            prices,
            strict=True,
        )
    ]


def _check_known(train: TaskTable, known: Collection[str]) -> None:
    if unknown := set(train.column("product_id")) - set(known):
        at = next(at for at, id_ in enumerate(train.column("product_id")) if id_ in unknown)
        raise train.wrong(at, "product_id", f"{train.column('product_id')[at]!r} is not in products.csv.gz")


def _candidates(path: Path, known: Collection[str]) -> frozenset[str] | None:
    if not path.exists():
        return None
    found = path.read_text().split()
    for number, product_id in enumerate(found, 1):
        if product_id not in known:
            raise InvalidArgument.of(path.name, f"line {number}: {product_id!r} is no product of this task")
    if not found:
        raise InvalidArgument.of(path.name, "has no product id; leave the file out to allow every product")
    return frozenset(found)


def _queries(folder: Path, answerable: Collection[str]) -> list[TaskQuery]:
    path = folder / "queries.jsonl"
    rows = list(_json_lines(path, {"query_id": str, "history": list}, {"exclude": list, "visitor_id": str}))
    if not rows:
        raise InvalidArgument.of(path.name, "has no question")
    truth = _truth(folder / "truth.jsonl", {row["query_id"] for _, row in rows}, answerable)
    queries, seen = [], set()
    for number, row in rows:
        query_id = row["query_id"]
        if query_id in seen:
            raise InvalidArgument.of(path.name, f"line {number}: query_id {query_id!r} stands here for the second time")
        if truth is not None and query_id not in truth:
            raise InvalidArgument.of(path.name, f"line {number}: query_id {query_id!r} has no line in truth.jsonl")
        seen.add(query_id)
        relevant = truth[query_id] if truth is not None else frozenset[str]()
        exclude = tuple(row.get("exclude", ()))
        queries.append(TaskQuery(query_id, tuple(row["history"]), exclude, row.get("visitor_id", ""), relevant))
    return queries


def _truth(path: Path, asked: Collection[str], answerable: Collection[str]) -> Mapping[str, frozenset[str]] | None:
    if not path.exists():
        return None
    truth: dict[str, frozenset[str]] = {}
    for number, row in _json_lines(path, {"query_id": str, "relevant": list}, {}):
        query_id, relevant = row["query_id"], row["relevant"]
        wrong = next((id_ for id_ in relevant if id_ not in answerable), None)
        if query_id not in asked:
            raise InvalidArgument.of(path.name, f"line {number}: query_id {query_id!r} is not in queries.jsonl")
        if not relevant:
            raise InvalidArgument.of(path.name, f"line {number}: relevant is empty; leave such a question out")
        if wrong is not None:
            raise InvalidArgument.of(path.name, f"line {number}: relevant has {wrong!r}, which can not be answered")
        truth[query_id] = frozenset(relevant)
    return truth


def _json_lines(
    path: Path, needed: Mapping[str, type], optional: Mapping[str, type]
) -> Sequence[tuple[int, dict[str, Any]]]:
    """(line number, object) of every line that is not blank."""
    if not path.exists():
        raise InvalidArgument.of(path.name, f"is missing in {path.parent}")
    found = []
    for number, line in enumerate(path.read_bytes().splitlines(), 1):
        if not line.strip():
            continue
        try:
            row = orjson.loads(line)
        except orjson.JSONDecodeError as error:
            raise InvalidArgument.of(path.name, f"line {number}: is no JSON: {error}") from None
        if not isinstance(row, dict):
            raise InvalidArgument.of(path.name, f"line {number}: must be an object with {', '.join(needed)}")
        for name, kind in {**needed, **optional}.items():
            if name in needed or name in row:
                _check_field(path, number, row, name, kind)
        found.append((number, row))
    return found


def _check_field(path: Path, number: int, row: Mapping[str, Any], name: str, kind: type) -> None:
    if name not in row:
        raise InvalidArgument.of(path.name, f"line {number}: {name} is missing")
    value = row[name]
    if kind is str and (not isinstance(value, str) or (not value and name == "query_id")):
        raise InvalidArgument.of(path.name, f"line {number}: {name} must be a string, not {value!r}")
    if kind is list and not (isinstance(value, list) and all(isinstance(item, str) for item in value)):
        raise InvalidArgument.of(path.name, f"line {number}: {name} must be a list of product ids (strings)")
