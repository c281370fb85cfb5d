"""The UCI Online Retail layout: one pass over its rows gives products, purchases and refunds.

Columns: InvoiceNo, StockCode, Description, Quantity, InvoiceDate, UnitPrice, CustomerID, Country (and the names of its
second edition: Invoice, Price, Customer ID). Data: Chen, D. (2015). Online Retail. UCI Machine Learning Repository.
DOI 10.24432/C5BW33, CC BY 4.0.
"""

from __future__ import annotations

from array import array
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from statistics import median
from typing import BinaryIO

from google.protobuf.timestamp_pb2 import Timestamp
from recomesh.catalog.v1 import catalog_pb2
from recomesh.reco.v1 import reco_pb2

from feeds.lines import open_feed, refuse_file
from feeds.model import ParsedEvent, ParsedProduct, RejectedLine
from feeds.online_retail_rows import clean_title, read_sale
from feeds.tables import Row, Table
from meshkit.product_card import money_from_float

CURRENCY = "GBP"
DUPLICATE_ROW = "duplicate row"
COLUMNS = ("InvoiceNo", "StockCode", "Description", "Quantity", "InvoiceDate", "UnitPrice", "CustomerID", "Country")
_SECOND_EDITION = {"Invoice": "InvoiceNo", "Price": "UnitPrice", "Customer ID": "CustomerID"}
_RECENT_PRICES = 51


@dataclass(slots=True)
class _Code:
    """What the rows say about one stock code."""

    line: int
    first_sold_s: int
    titles: Counter[str] = field(default_factory=Counter)
    prices: deque[float] = field(default_factory=lambda: deque(maxlen=_RECENT_PRICES))


class OnlineRetail:
    """The rows of a file, kept in columns (about 60 bytes a row): ask for products and interactions as often as needed.

    `rows_read` counts data rows; `rejected` holds the others in file order. Reasons: "not a product" (postage, fees,
    vouchers, manual entries), "duplicate row" (all cells equal to an earlier row: the source repeats lines by mistake,
    so the first one counts), "no price", "quantity is not positive", "cancellation without a negative quantity", and
    what is wrong with a broken cell.
    """

    def __init__(self) -> None:
        self.rows_read = 0
        self.rejected: list[RejectedLine] = []
        self._codes: dict[str, _Code] = {}
        self._texts: dict[str, int] = {}
        self._lines = array("q")
        self._invoices = array("i")
        self._code_numbers = array("i")
        self._visitors = array("i")
        self._quantities = array("i")
        self._times_s = array("q")
        self._prices = array("d")

    def products(self) -> Iterator[ParsedProduct]:
        """One product for each stock code that was sold, by first appearance.

        The title is the most frequent description, the price the median of the last 51 rows, in GBP.
        """
        for code, facts in self._codes.items():
            title = facts.titles.most_common(1)[0][0] if facts.titles else code
            product = catalog_pb2.Product(
                product_id=code,
                title=title[:500],
                price=money_from_float(round(median(facts.prices), 2), CURRENCY),
                availability=catalog_pb2.AVAILABILITY_IN_STOCK,
                created_at=Timestamp(seconds=facts.first_sold_s),
            )
            yield ParsedProduct(facts.line, product)

    def interactions(self) -> Iterator[ParsedEvent]:
        """A purchase or a refund for each accepted row, in file order.

        The invoice is order and session; the visitor is the customer, or guest-<invoice>. The id is made of invoice,
        code and the occurrence of the code in the invoice, so reading again gives the same ids.
        """
        texts = list(self._texts)
        occurrences: dict[tuple[int, int], int] = {}
        columns = (self._lines, self._invoices, self._code_numbers, self._visitors, self._quantities, self._times_s)
        for line, invoice, code, visitor, quantity, at_s, price in zip(*columns, self._prices, strict=True):
            occurrence = occurrences[invoice, code] = occurrences.get((invoice, code), 0) + 1
            order, product_id = texts[invoice], texts[code]
            yield ParsedEvent(
                line,
                reco_pb2.Interaction(
                    event_id=f"retail-{order}-{product_id}-{occurrence}",
                    type=reco_pb2.EVENT_TYPE_REFUND if order[0] == "C" else reco_pb2.EVENT_TYPE_PURCHASE,
                    visitor_id=texts[visitor],
                    product_id=product_id,
                    at=Timestamp(seconds=at_s),
                    quantity=quantity,
                    price=money_from_float(price, CURRENCY),
                    order_id=order,
                    session_id=order,
                ),
            )

    def __len__(self) -> int:
        """Accepted rows: the number of interactions."""
        return len(self._prices)

    def add(self, row: Row) -> None:
        """Takes one row that is not a repetition; a row with something wrong goes to `rejected`."""
        try:
            sale = read_sale(row.cells)
        except ValueError as error:
            self.reject(row, str(error))
            return
        facts = self._codes.get(sale.code)
        if facts is None:
            facts = self._codes[sale.code] = _Code(row.line, sale.at_s)
        if title := clean_title(row.cells["Description"]):
            facts.titles[title] += 1
        facts.prices.append(sale.price)
        number = self._texts.setdefault
        self._lines.append(row.line)
        self._invoices.append(number(sale.invoice, len(self._texts)))
        self._code_numbers.append(number(sale.code, len(self._texts)))
        self._visitors.append(number(sale.visitor, len(self._texts)))
        self._quantities.append(sale.quantity)
        self._times_s.append(sale.at_s)
        self._prices.append(sale.price)

    def reject(self, row: Row, reason: str) -> None:
        """Keeps a row that is not imported."""
        self.rejected.append(RejectedLine(row.line, row.raw, reason))


def read_online_retail(stream: BinaryIO) -> OnlineRetail:
    """Reads the whole file, gzipped or not. Raises InvalidArgument when its header is another."""
    table = Table(open_feed(stream))
    if not table.columns:
        return OnlineRetail()
    table.rename({theirs: ours for theirs, ours in _SECOND_EDITION.items() if theirs in table.columns})
    missing = [name for name in COLUMNS if name != "Country" and name not in table.columns]
    if missing:
        raise refuse_file(f"is not the Online Retail layout: it has no column {', '.join(missing)}")
    result = OnlineRetail()
    seen: set[int] = set()
    for entry in table:
        result.rows_read += 1
        if isinstance(entry, RejectedLine):
            result.rejected.append(entry)
            continue
        fingerprint = hash(entry.raw)
        if fingerprint in seen:
            result.reject(entry, DUPLICATE_ROW)
            continue
        seen.add(fingerprint)
        result.add(entry)
    return result
