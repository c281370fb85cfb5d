from __future__ import annotations

import gzip
import io
from collections.abc import Callable, Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds import EVENT_FORMATS, PRODUCT_FORMATS, read_events, read_online_retail, read_products
from meshkit.errors import InvalidArgument

PIECES = [
    b'{"product_id":"a","title":"A","price":1,"currency":"EUR"}\n',
    b'{"type":"view_item","visitor_id":"v","product_id":"p","at":1}\n',
    b'{"type":"view_item","visitor_id":"v","product_id":"p","at":"0001-01-01T00:00:00+23:59","price":1e400}\n',
    b"product_id,title,price,created_at\n1,A,5 EUR,2026-01-01\n",
    b"visitor_id,product_id,at,price\nv,p,1,1 EUR\n",
    b"InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n",
    b"1,10001,X,1,2010-12-01 08:26:00,1,1,UK\n",
    b'<rss xmlns:g="http://base.google.com/ns/1.0"><channel>',
    b"<item><g:id>1</g:id><title>T</title></item>",
    b"</channel></rss>",
    b'"',
    b"\xff",
    b"\x00",
    b"\n",
    b"\xef\xbb\xbf",
    b"&#0;&x;<![CDATA[",
    b"\xed\xa0\x80",
    b"nan,inf,1e999,\n",
]
files = st.lists(st.sampled_from(PIECES) | st.binary(max_size=8), max_size=8).map(b"".join)
files = files | files.map(gzip.compress) | files.map(lambda data: gzip.compress(data)[:-6])


def survives(read: Callable[[io.BytesIO], Iterable[object]], data: bytes) -> None:
    """Whatever the bytes are, they are entries or a clear refusal."""
    try:
        entries = list(read(io.BytesIO(data)))
    except InvalidArgument as error:
        refusal = error.violations[0]
    else:
        assert len(entries) <= data.count(b"\n") + len(data) + 1_000
        return
    assert refusal.field == "file"


@pytest.mark.parametrize("format", PRODUCT_FORMATS)
@given(data=files)
def test_any_bytes_as_products(format: str, data: bytes) -> None:
    survives(lambda stream: read_products(stream, format), data)


@pytest.mark.parametrize("format", EVENT_FORMATS)
@given(data=files)
def test_any_bytes_as_events(format: str, data: bytes) -> None:
    survives(lambda stream: read_events(stream, format), data)


@given(data=files)
def test_any_bytes_as_online_retail(data: bytes) -> None:
    def read(stream: io.BytesIO) -> Iterable[object]:
        result = read_online_retail(stream)
        return [*result.products(), *result.interactions(), *result.rejected]

    survives(read, data)
