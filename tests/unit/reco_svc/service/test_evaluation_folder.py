"""Reading a task folder, and what is told of a bad one."""

import gzip
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from meshkit.errors import InvalidArgument
from reco_svc.service.evaluation_folder import read_task
from tests.support.made_task import write_made_task


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_made_task(tmp_path / "made", sessions=6, questions=3)


def _row(folder: Path, name: str, line: int, change: Callable[[str], str]) -> None:
    """Changes one line (from 1) of a file."""
    path = folder / name
    packed = path.suffix == ".gz"
    lines = (gzip.decompress(path.read_bytes()) if packed else path.read_bytes()).decode().splitlines()
    lines[line - 1] = change(lines[line - 1])
    text = ("\n".join(lines) + "\n").encode()
    path.write_bytes(gzip.compress(text) if packed else text)


def _field(line: int, **changes: object) -> tuple[str, int, Callable[[str], str]]:
    return "queries.jsonl", line, lambda text: json.dumps({**json.loads(text), **changes})


def test_a_good_folder_is_read_in_time_order(folder: Path) -> None:
    task = read_task(folder)
    assert (task.name, len(task.products), len(task.queries), task.answered) == ("made", 48, 3, True)
    times = task.log.columns.at_s.tolist()
    assert times == sorted(times)
    assert task.log.columns.order_id[0] == task.log.columns.session_id[0]  # a purchase


def test_tables_may_be_plain_csv_and_products_may_be_left_out(folder: Path) -> None:
    train = folder / "train.csv.gz"
    (folder / "train.csv").write_bytes(gzip.decompress(train.read_bytes()))
    for path in (train, folder / "products.csv.gz", folder / "truth.jsonl"):
        path.unlink()
    task = read_task(folder)
    assert {p.product_id for p in task.products} == set(task.log.columns.product_id)
    assert not task.answered


@pytest.mark.parametrize("name", ["train.csv.gz", "queries.jsonl"])
def test_a_missing_file_is_named(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(InvalidArgument, match=rf"^{name}: is missing in "):
        read_task(folder)


def test_what_is_no_gzip_is_told(folder: Path) -> None:
    (folder / "train.csv.gz").write_text("visitor_id,session_id\n")
    with pytest.raises(InvalidArgument, match=r"^train\.csv\.gz: can not be read: Not a gzipped file"):
        read_task(folder)


def test_a_torn_gzip_is_told(folder: Path) -> None:
    path = folder / "train.csv.gz"
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(InvalidArgument, match=r"^train\.csv\.gz: can not be read: "):
        read_task(folder)


@pytest.mark.parametrize(
    ("name", "line", "change", "told"),
    [
        (
            "train.csv.gz",
            1,
            lambda t: t.replace("timestamp", "at"),
            r"line 1: has no column timestamp \(it has visitor",
        ),
        ("train.csv.gz", 3, lambda t: t.replace("purchase", "bought"), "line 3: event_type: one of .*not 'bought'"),
        ("train.csv.gz", 4, lambda t: t.replace(",1700", ",17x00"), "line 4: timestamp: seconds since 1970"),
        ("train.csv.gz", 5, lambda t: t + ",extra", "line 5: has 8 fields, the header has 7"),
        ("train.csv.gz", 6, lambda t: "," + t.partition(",")[2], "line 6: visitor_id: is empty"),
        ("train.csv.gz", 2, lambda t: t.replace("2.5", "cheap"), "line 2: price: a number or nothing, not 'cheap'"),
        ("train.csv.gz", 2, lambda t: "v,s,p999,view,1,1,1", "line 2: product_id: 'p999' is not in products.csv.gz"),
        ("products.csv.gz", 3, lambda t: "p00,again,,,,", "line 3: product_id: 'p00' stands here for the second time"),
        ("queries.jsonl", 2, lambda t: t[:-1], "line 2: is no JSON"),
        ("queries.jsonl", 2, lambda t: "[]", "line 2: must be an object with query_id, history"),
        (*_field(2, history="p00"), "line 2: history must be a list of product ids"),
        (*_field(2, exclude=[1]), "line 2: exclude must be a list of product ids"),
        (*_field(2, query_id="q0"), "line 2: query_id 'q0' stands here|line 2: query_id 'q1' is not in queries.jsonl"),
        ("queries.jsonl", 1, lambda t: '{"query_id": "q0"}', "line 1: history is missing"),
        ("truth.jsonl", 1, lambda t: '{"query_id": "q0", "relevant": []}', "line 1: relevant is empty"),
        (
            "truth.jsonl",
            1,
            lambda t: '{"query_id": "q0", "relevant": ["x"]}',
            "line 1: relevant has 'x', which can not",
        ),
        (
            "truth.jsonl",
            1,
            lambda t: '{"query_id": "z", "relevant": ["p00"]}',
            "line 1: query_id 'z' is not in queries",
        ),
        ("truth.jsonl", 1, lambda t: "", "query_id 'q0' has no line in truth.jsonl"),
    ],
)
def test_what_is_wrong_is_told_with_file_and_line(
    folder: Path, name: str, line: int, change: Callable[[str], str], told: str
) -> None:
    _row(folder, name, line, change)
    with pytest.raises(InvalidArgument, match=told):
        read_task(folder)


def test_candidates_limit_what_is_answered_and_must_be_products(folder: Path) -> None:
    allowed = sorted({id_ for query in read_task(folder).queries for id_ in query.relevant})
    (folder / "candidates.txt").write_text("\n".join(allowed))
    assert read_task(folder).candidates == frozenset(allowed)
    (folder / "candidates.txt").write_text("nothing\n")
    with pytest.raises(InvalidArgument, match=r"^candidates\.txt: line 1: 'nothing' is no product of this task"):
        read_task(folder)
