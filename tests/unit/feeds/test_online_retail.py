from __future__ import annotations

import gzip
import io
from collections import Counter

import pytest
from recomesh.reco.v1 import reco_pb2

from feeds import OnlineRetail, read_online_retail
from meshkit.errors import InvalidArgument
from meshkit.product_card import money_to_float

HEADER = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n"
# Invented rows in the layout of the data set.
ROWS = """\
100001,10001A,RED  TEA POT ,6,2010-12-01 08:26:00,2.55,17850.0,United Kingdom
100001,10002,"BLUE CUP, LARGE",2,2010-12-01 08:26:00,1.25,17850.0,United Kingdom
100001,10002,"BLUE CUP, LARGE",2,2010-12-01 08:26:00,1.25,17850.0,United Kingdom
100001,10002,"BLUE CUP, LARGE",3,2010-12-01 08:26:00,1.25,17850.0,United Kingdom
100002,10001a,RED TEA POT,1,2010-12-02 09:00:00,2.95,,France
100002,POST,POSTAGE,1,2010-12-02 09:00:00,18.0,,France
100002,gift_0001_10,Gift Voucher,1,2010-12-02 09:00:00,8.33,,France
100002,BANK CHARGES,Bank Charges,1,2010-12-02 09:00:00,15.0,,France
C100003,10001A,RED TEA POT,-6,2010-12-03 10:00:00,2.55,17850.0,United Kingdom
100004,10003,damaged,-4,2010-12-03 11:00:00,0.0,,United Kingdom
100005,10003,,4,2010-12-03 11:00:00,0.0,,United Kingdom
C100006,10003,X,4,2010-12-03 11:00:00,1.0,,United Kingdom
100007,10003,X,many,2010-12-03 11:00:00,1.0,,United Kingdom
100007,10003,X,1,yesterday,1.0,,United Kingdom
100007,10003,X,1
100008,10001A,TEA POT RED,1,12/4/2010 9:05,2.75,17850,United Kingdom
"""


def sample() -> OnlineRetail:
    return read_online_retail(io.BytesIO((HEADER + ROWS).encode()))


def test_products_take_the_most_frequent_title_and_the_median_price() -> None:
    products = {entry.product.product_id: entry.product for entry in sample().products()}
    assert set(products) == {"10001A", "10002"}
    pot = products["10001A"]
    assert pot.title == "RED TEA POT"
    assert (money_to_float(pot.price), pot.price.currency_code) == (2.65, "GBP")
    assert pot.created_at.ToJsonString() == "2010-12-01T08:26:00Z"


def test_sales_are_purchases_of_their_invoice() -> None:
    events = [entry.interaction for entry in sample().interactions()]
    first = events[0]
    assert first.type == reco_pb2.EVENT_TYPE_PURCHASE
    assert (first.visitor_id, first.order_id, first.session_id) == ("17850", "100001", "100001")
    assert (first.quantity, money_to_float(first.price), first.at.seconds) == (6, 2.55, 1291191960)
    assert events[-1].at.ToJsonString() == "2010-12-04T09:05:00Z"


def test_codes_are_one_in_any_case_and_guests_are_kept() -> None:
    guest = next(entry.interaction for entry in sample().interactions() if entry.line == 6)
    assert (guest.product_id, guest.visitor_id) == ("10001A", "guest-100002")


def test_cancellations_are_refunds_with_a_positive_quantity() -> None:
    refund = next(entry.interaction for entry in sample().interactions() if entry.line == 10)
    assert (refund.type, refund.quantity, refund.order_id) == (reco_pb2.EVENT_TYPE_REFUND, 6, "C100003")


def test_each_row_is_counted_once_and_rejections_say_why() -> None:
    result = sample()
    assert result.rows_read == 16
    assert len(result) == 6
    assert Counter(line.reason for line in result.rejected) == {
        "duplicate row": 1,
        "not a product": 3,
        "quantity is not positive": 1,
        "no price": 1,
        "cancellation without a negative quantity": 1,
        "Quantity is not a whole number": 1,
        "InvoiceDate is not a time such as 2010-12-01 08:26:00": 1,
        "has 4 cells, the header has 8": 1,
    }
    duplicate = result.rejected[0]
    assert (duplicate.line, duplicate.raw) == (4, ROWS.splitlines()[2])


def test_event_ids_are_unique_and_the_same_in_every_run() -> None:
    ids = [entry.interaction.event_id for entry in sample().interactions()]
    assert ids == [entry.interaction.event_id for entry in sample().interactions()]
    assert len(set(ids)) == len(ids)
    assert ids[:3] == ["retail-100001-10001A-1", "retail-100001-10002-1", "retail-100001-10002-2"]


def test_the_second_edition_names_some_columns_differently() -> None:
    header = HEADER.replace("InvoiceNo", "Invoice").replace("UnitPrice", "Price").replace("CustomerID", "Customer ID")
    assert len(read_online_retail(io.BytesIO((header + ROWS).encode()))) == 6


def test_another_header_is_refused_and_an_empty_file_is_not() -> None:
    with pytest.raises(InvalidArgument, match="no column InvoiceNo, StockCode"):
        read_online_retail(io.BytesIO(b"a,b\n1,2\n"))
    assert len(read_online_retail(io.BytesIO(b""))) == 0


def test_gzip_makes_no_difference() -> None:
    assert len(read_online_retail(io.BytesIO(gzip.compress((HEADER + ROWS).encode())))) == 6
