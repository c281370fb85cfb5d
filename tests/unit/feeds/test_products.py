from __future__ import annotations

import gzip
import io
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import BinaryIO, cast

import orjson
import pytest
from recomesh.catalog.v1 import catalog_pb2

from feeds import ParsedProduct, RejectedLine, read_products
from meshkit.errors import InvalidArgument
from meshkit.product_card import card_from_proto

Entry = ParsedProduct | RejectedLine
NOW = datetime(2026, 6, 1, tzinfo=UTC)


def read(data: bytes | str, format: str = "auto", currency: str = "") -> list[Entry]:
    raw = data.encode() if isinstance(data, str) else data
    return list(read_products(io.BytesIO(raw), format, currency=currency, now=NOW))


def product(entry: Entry) -> catalog_pb2.Product:
    assert isinstance(entry, ParsedProduct), entry
    return entry.product


def outcome(entries: Sequence[Entry]) -> list[tuple[int, str]]:
    return [
        (entry.line, entry.product.product_id if isinstance(entry, ParsedProduct) else entry.reason)
        for entry in entries
    ]


def test_an_empty_file_has_no_products() -> None:
    assert read(b"") == []
    assert read(b"\n \n") == []
    assert read(gzip.compress(b"")) == []


def test_json_lines_are_cards() -> None:
    card = {
        "product_id": "a",
        "title": "Knife",
        "categories": ["Home > Kitchen"],
        "price": 12.5,
        "sale_price": 10,
        "currency": "EUR",
        "availability": "out_of_stock",
        "attributes": {"color": "red"},
        "tags": ["sale"],
        "created_at": "2026-01-31T08:00:00Z",
        "hidden": True,
    }
    [entry] = read(orjson.dumps(card))
    assert card.items() <= card_from_proto(product(entry)).items()


def test_one_bad_json_line_rejects_no_other() -> None:
    entries = read(
        b'{"product_id":"a","title":"A"}\n\n{"product_id":\n[1]\n"x"\n\xff\xfe\n{"product_id":"b","title":"B","nul":1}\n'
        b'{"title":"no id"}\n{"product_id":"c"}\n{"product_id":"d","title":"a\x00b"}\n{"product_id":"e","title":"E"}'
    )
    assert outcome(entries) == [
        (1, "a"),
        (3, "broken JSON: unexpected end of data"),
        (4, "product: must be a JSON object, not a list"),
        (5, "product: must be a JSON object, not a text"),
        (6, "is not valid UTF-8 text"),
        (7, entries[5].reason if isinstance(entries[5], RejectedLine) else ""),
        (8, "product_id: is required"),
        (9, "title: is required"),
        (10, "is not valid UTF-8 text"),
        (11, "e"),
    ]
    rejected = entries[5]
    assert isinstance(rejected, RejectedLine)
    assert "nul: unknown field" in rejected.reason
    assert rejected.raw == '{"product_id":"b","title":"B","nul":1}'


def test_a_line_over_one_mebibyte_is_rejected_and_the_next_is_read() -> None:
    long = b'{"product_id":"a","title":"' + b"x" * 3_000_000 + b'"}\n{"product_id":"b","title":"B"}'
    entries = read(long)
    assert outcome(entries) == [(1, "the line is longer than 1 MiB"), (2, "b")]
    assert isinstance(entries[0], RejectedLine)
    assert len(entries[0].raw) == 2_000


def test_a_byte_order_mark_and_gzip_make_no_difference() -> None:
    plain = b'{"product_id":"a","title":"A"}\r\n'
    assert outcome(read(gzip.compress(b"\xef\xbb\xbf" + plain))) == outcome(read(plain)) == [(1, "a")]


def test_a_csv_row_becomes_a_product() -> None:
    [entry] = read(
        "product_id,title,categories,brand,price,sale_price,currency,availability,attributes.color,tags,hidden,created_at\n"
        '1,"Knife, big",Home > Kitchen | Gifts,Acme,12.50,10,EUR,preorder,red,a|b,no,2026-01-31T08:00:00Z\n'
    )
    assert entry.line == 2
    card = card_from_proto(product(entry))
    assert card["title"] == "Knife, big"
    assert card["categories"] == ["Home > Kitchen", "Gifts"]
    assert (card["price"], card["sale_price"], card["currency"]) == (12.5, 10.0, "EUR")
    assert card["availability"] == "preorder"
    assert card["attributes"] == {"color": "red"}
    assert card["tags"] == ["a", "b"]
    assert card["created_at"] == "2026-01-31T08:00:00Z"


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_the_delimiter_is_found_in_the_header(delimiter: str) -> None:
    assert outcome(read(f"product_id{delimiter}title\n1{delimiter}A\n")) == [(2, "1")]


def test_broken_csv_rows_are_rejected_one_by_one() -> None:
    entries = read(
        b'product_id,title,price,currency\n1,A,,\n2,"B"x,,\n3\n4,"two\nlines",,\n5,\xe4,,\n6,F,12,50\n'
        b'7,G,cheap,EUR\n8,H,1,\n,I,,\n\n9,J,,\n10,never ends,,\n11,"x,,\n12,y,,\n'
    )
    assert outcome(entries) == [
        (2, "1"),
        (3, "broken CSV: ',' expected after '\"'"),
        (4, "has 1 cells, the header has 4"),
        (5, "4"),
        (7, "is not valid UTF-8 text"),
        (8, "6"),  # "50" is read as a currency here: the catalog knows better
        (9, 'price: must be an amount such as "12.99" or "12.99 USD"'),
        (10, 'currency: must be given with a price: three letters (ISO 4217) such as "EUR"'),
        (11, "product_id: is required"),
        (13, "9"),
        (14, "10"),
        (15, "broken CSV: unexpected end of data"),
    ]
    last = entries[-1]
    assert isinstance(last, RejectedLine)
    assert last.raw == '11,"x,,\n12,y,,'


def test_a_currency_can_stand_in_for_a_missing_one() -> None:
    entries = [*read("product_id,title,price\n1,A,5", currency="EUR")]
    entries += read('{"product_id":"1","title":"A","price":5}', currency="EUR")
    entries += read("id\ttitle\tprice\n1\tA\t5", currency="EUR")
    assert [product(entry).price.currency_code for entry in entries] == ["EUR"] * 3


def test_what_was_exported_can_be_imported_again() -> None:
    card = {"product_id": "a", "title": "A", "updated_at": "2026-01-01T00:00:00Z", "revision": 5}
    assert outcome(read(orjson.dumps(card))) == [(1, "a")]
    assert outcome(read("product_id,title,revision\na,A,5")) == [(2, "a")]


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"a,b\n1,2\n", "no column product_id and title"),
        (b"product_id,title,colour\n", "unknown columns colour"),
        (b"product_id,title,title\n", "'title' twice"),
        (b"product_id,title,\n", "column 3 of the header has no name"),
        (b"product_id,t\xe4tle\n", "header is not valid UTF-8"),
        (b"hello world", "no column"),
        (b'[{"product_id":"a"}]', "JSON array"),
        (b"<html><body/></html>", "root is <html>"),
        (b"<oops", "not well-formed XML"),
        (b"<!DOCTYPE a [<!ENTITY b 'c'>]><rss/>", "refused for safety"),
        (b"PK\x03\x04zip", "zip archive"),
        (b"\x1f\x8bno gzip", "gzip"),
        ("product_id,title\n".encode("utf-16"), "UTF-8"),
        (b"\x00\x01\x02", "UTF-8"),
    ],
)
def test_a_file_of_another_kind_is_refused_as_a_whole(data: bytes, says: str) -> None:
    with pytest.raises(InvalidArgument, match=says) as caught:
        read(data)
    assert caught.value.reason == "FILE_FORMAT"
    assert caught.value.violations[0].field == "file"


def test_an_unknown_format_is_refused_before_anything_is_read() -> None:
    with pytest.raises(InvalidArgument, match="must be one of auto, jsonl"):
        read_products(cast(BinaryIO, None), "xlsx")


def test_a_format_can_be_forced() -> None:
    with pytest.raises(InvalidArgument, match="no Merchant feed"):
        read("product_id,title\n", "merchant-tsv")
    assert outcome(read("product_id,title\n1,A", "jsonl")) == [
        (1, "broken JSON: unexpected character, expected a JSON value"),
        (2, "broken JSON: unexpected content after document"),
    ]


def test_gzip_that_is_cut_off_keeps_what_was_before() -> None:
    lines = b"".join(b'{"product_id":"%d","title":"A%d"}\n' % (n, n * n) for n in range(100_000))
    entries = read(gzip.compress(lines)[:-5_000])
    assert len(entries) > 10_000
    last = entries[-1]
    assert isinstance(last, RejectedLine)
    assert "cut off" in last.reason


def test_reading_is_lazy() -> None:
    class Endless(io.RawIOBase):
        def readable(self) -> bool:
            return True

        def read(self, size: int = -1) -> bytes:
            return b'{"product_id":"a","title":"A"}\n' * 100

    entries = read_products(cast(BinaryIO, Endless()))
    assert [next(entries).line for _ in range(1_000)][-1] == 1_000


@pytest.mark.parametrize(
    ("format", "text", "mapping", "told"),
    [
        ("auto", "sku,name\n", {"sku": "product_id"}, "there is no product field 'sku'"),
        ("auto", "sku,name\n", {"product_id": "id"}, "the file has no column 'id'; it has sku, name"),
        ("auto", "sku,title\n", {"product_id": "sku", "title": "sku"}, "names column 'sku' twice"),
        ("auto", '{"product_id": "a"}\n', {"title": "name"}, "is for CSV"),
        ("merchant-tsv", "id\ttitle\n", {"title": "name"}, "is for CSV"),
    ],
)
def test_a_mapping_that_does_not_fit_is_told(format: str, text: str, mapping: dict[str, str], told: str):
    with pytest.raises(InvalidArgument, match=told):
        read_products(io.BytesIO(text.encode()), format, mapping)


def test_a_column_that_means_nothing_is_told_how_to_be_kept():
    with pytest.raises(InvalidArgument, match=r"--map attributes\.shelf_no=Shelf No"):
        read_products(io.BytesIO(b"product_id,title,Shelf No\n"))
