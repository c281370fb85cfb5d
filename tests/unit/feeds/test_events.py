from __future__ import annotations

import gzip
import io
from pathlib import Path

import orjson
import pytest
from recomesh.reco.v1 import reco_pb2

from feeds import ParsedEvent, RejectedLine, read_events
from meshkit.errors import InvalidArgument
from meshkit.product_card import money_to_float

TRAIN = Path(__file__).parents[3].parent / "shared/data/tasks/online_retail_basket/train.csv.gz"
AT = 1_767_225_600  # 2026-01-01T00:00:00Z
EVENT = {"event_id": "e", "type": "view_item", "visitor_id": "v", "product_id": "p", "at": "2026-01-01T00:00:00Z"}


def read(data: bytes | str, format: str = "auto", **options: object) -> list[ParsedEvent | RejectedLine]:
    raw = data.encode() if isinstance(data, str) else data
    return list(read_events(io.BytesIO(raw), format, **options))  # type: ignore[arg-type]


def interactions(data: bytes | str, **options: object) -> list[reco_pb2.Interaction]:
    entries = read(data, **options)
    assert all(isinstance(entry, ParsedEvent) for entry in entries), entries
    return [entry.interaction for entry in entries if isinstance(entry, ParsedEvent)]


def rejection(data: bytes | str, **options: object) -> str:
    [entry] = read(data, **options)
    assert isinstance(entry, RejectedLine), entry
    return entry.reason


def test_a_json_line_carries_every_field() -> None:
    fields = EVENT | {
        "type": "purchase",
        "quantity": 2,
        "price": 2.5,
        "currency": "EUR",
        "order_id": "o",
        "recommendation_id": "r",
        "position": 3,
        "placement": "home",
        "session_id": "s",
    }
    [event] = interactions(orjson.dumps(fields))
    assert event.type == reco_pb2.EVENT_TYPE_PURCHASE
    assert event.at.seconds == AT
    assert (event.event_id, event.visitor_id, event.product_id, event.session_id) == ("e", "v", "p", "s")
    assert (event.quantity, event.position, event.placement) == (2, 3, "home")
    assert (event.order_id, event.recommendation_id) == ("o", "r")
    assert (money_to_float(event.price), event.price.currency_code) == (2.5, "EUR")


@pytest.mark.parametrize(
    "at", [AT, AT * 1_000, float(AT), str(AT), str(AT * 1_000), "2026-01-01", "2026-01-01T01:00+01:00"]
)
def test_times_come_as_seconds_milliseconds_or_iso(at: object) -> None:
    [event] = interactions(orjson.dumps(EVENT | {"at": at}))
    assert event.at.seconds == AT
    assert event.at.nanos == 0


def test_a_search_needs_no_product() -> None:
    [event] = interactions(orjson.dumps(EVENT | {"type": "search", "product_id": None, "query": "knife"}))
    assert event.query == "knife"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"type": "look"}, "type: must be one of view_item"),
        ({"type": None}, "type: must be"),
        ({"visitor_id": ""}, "visitor_id: is required"),
        ({"visitor_id": 7}, "visitor_id: must be text"),
        ({"product_id": None}, "product_id: is required"),
        ({"at": None}, "at: is required"),
        ({"at": True}, "at: must be"),
        ({"at": "soon"}, "at: must be epoch"),
        ({"at": 1e300}, "at: must lie between"),
        ({"at": "99999999999999999999"}, "at: must lie between"),
        ({"quantity": 0}, "quantity: must be a whole number"),
        ({"quantity": 1.5}, "quantity: must be"),
        ({"quantity": 10**9}, "quantity: must be"),
        ({"quantity": True}, "quantity: must be"),
        ({"quantity": "x"}, "quantity: must be"),
        ({"position": -1}, "position: must be"),
        ({"price": "cheap", "currency": "EUR"}, "price: must be an amount"),
        ({"price": 1e13, "currency": "EUR"}, "price: "),
        ({"color": "red"}, "color: unknown field"),
    ],
)
def test_a_wrong_field_is_named(change: dict[str, object], reason: str) -> None:
    assert rejection(orjson.dumps(EVENT | change)).startswith(reason)


def test_one_bad_line_rejects_no_other() -> None:
    good = orjson.dumps(EVENT)
    entries = read(b"\n".join([good, b"{", b"[]", b"\xff", b"", good]))
    assert [(entry.line, isinstance(entry, ParsedEvent)) for entry in entries] == [
        (1, True),
        (2, False),
        (3, False),
        (4, False),
        (6, True),
    ]


def test_csv_columns_are_mapped() -> None:
    mapping = {"visitor_id": "user", "product_id": "item", "at": "ts"}
    [event] = interactions(f"user,item,ts,other\nu,i,{AT},x\n", mapping=mapping, default_type="purchase")
    assert (event.visitor_id, event.product_id, event.at.seconds) == ("u", "i", AT)
    assert event.type == reco_pb2.EVENT_TYPE_PURCHASE


def test_the_layout_of_task_folders_needs_no_mapping() -> None:
    header = "visitor_id,session_id,product_id,event_type,timestamp,quantity,price\n"
    data = gzip.compress(f"{header}v,s,p,purchase,{AT},6.0,2.55\n".encode())
    [event] = interactions(data)
    assert (event.session_id, event.type, event.at.seconds, event.quantity) == (
        "s",
        reco_pb2.EVENT_TYPE_PURCHASE,
        AT,
        6,
    )
    assert not event.HasField("price")
    [event] = interactions(data, currency="GBP")
    assert money_to_float(event.price) == 2.55


def test_an_event_without_id_gets_the_same_one_in_every_run() -> None:
    data = f"visitor_id,product_id,at\nu,i,{AT}\nu,i,{AT}\nu,j,{AT}\n"
    first = [event.event_id for event in interactions(data)]
    assert first == [event.event_id for event in interactions(data)]
    assert len(set(first)) == 3
    shuffled = f"visitor_id,product_id,at\nu,j,{AT}\nu,i,{AT}\nu,i,{AT}\n"
    assert {event.event_id for event in interactions(shuffled)} == set(first)


@pytest.mark.parametrize(
    ("data", "options", "says"),
    [
        ("user,item\n", {}, "no column for visitor_id, product_id, at"),
        ("visitor_id,product_id,at\n", {"mapping": {"who": "visitor_id"}}, "no event field 'who'"),
        ("visitor_id,product_id,at\n", {"mapping": {"at": "ts"}}, "no column 'ts'"),
        ("visitor_id,product_id,at\n", {"default_type": "look"}, "must be one of view_item"),
        ("visitor_id,product_id,at\n", {"format": "xlsx"}, "must be one of auto"),
        ("{}", {"mapping": {"at": "ts"}}, "is for CSV"),
        ("[]", {}, "JSON array"),
    ],
)
def test_a_file_or_a_mapping_that_can_not_be_is_refused(data: str, options: dict[str, object], says: str) -> None:
    with pytest.raises(InvalidArgument, match=says):
        read(data, **options)  # type: ignore[arg-type]


def test_an_empty_file_has_no_events() -> None:
    assert read(b"") == []


@pytest.mark.skipif(not TRAIN.exists(), reason=f"the evaluation task is not at {TRAIN}")
def test_a_real_task_folder_is_read() -> None:
    with TRAIN.open("rb") as stream:
        entries = read_events(stream)
        some = [next(entries) for _ in range(5_000)]
    assert all(isinstance(entry, ParsedEvent) for entry in some)
    assert len({entry.interaction.event_id for entry in some if isinstance(entry, ParsedEvent)}) == 5_000
