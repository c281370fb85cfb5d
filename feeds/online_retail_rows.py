"""The cells of one row of the Online Retail layout, checked and in their own types."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import lru_cache
from typing import NamedTuple

from meshkit.product_card import MAX_PRICE

NOT_A_PRODUCT = "not a product"
_PRODUCT_CODE = re.compile(r"\d{5}[A-Z]*|DCGS\w+", re.ASCII)
_INVOICE = re.compile(r"[A-Z]?\d{1,12}", re.ASCII)
_TIME_FORMATS = ("%Y-%m-%d %H:%M:%S", "%m/%d/%Y %H:%M", "%Y-%m-%d %H:%M")


class Sale(NamedTuple):
    """One accepted row, cells in their own types; `quantity` is positive for refunds too."""

    invoice: str
    code: str
    quantity: int
    at_s: int
    price: float
    visitor: str


def read_sale(cells: dict[str, str]) -> Sale:
    """The sale of a row; ValueError with the reason when it is none. Codes and invoices are put in upper case."""
    code, invoice = _code(cells["StockCode"]), _invoice(cells["InvoiceNo"])
    quantity, price = _quantity(cells["Quantity"]), _price(cells["UnitPrice"])
    if invoice[0] == "C":
        if quantity >= 0:
            raise ValueError("cancellation without a negative quantity")
        quantity = -quantity
    if quantity <= 0:
        raise ValueError("quantity is not positive")
    if price <= 0:
        raise ValueError("no price")
    customer = cells["CustomerID"].removesuffix(".0")
    return Sale(invoice, code, quantity, _seconds(cells["InvoiceDate"]), price, customer or f"guest-{invoice}")


@lru_cache(maxsize=16_384)
def _code(text: str) -> str:
    code = text.upper()
    if not _PRODUCT_CODE.fullmatch(code):
        raise ValueError(NOT_A_PRODUCT)
    return code


@lru_cache(maxsize=1_024)
def _invoice(text: str) -> str:
    invoice = text.upper()
    if not _INVOICE.fullmatch(invoice):
        raise ValueError("InvoiceNo is not digits after at most one letter")
    return invoice


@lru_cache(maxsize=4_096)
def _quantity(text: str) -> int:
    try:
        quantity = int(text.removesuffix(".0"))
    except ValueError:
        raise ValueError("Quantity is not a whole number") from None
    if abs(quantity) > 1_000_000:
        raise ValueError("Quantity is over 1,000,000")
    return quantity


@lru_cache(maxsize=4_096)
def _price(text: str) -> float:
    try:
        price = float(text)
    except ValueError:
        raise ValueError("UnitPrice is not a number") from None
    if not price <= MAX_PRICE:
        raise ValueError("UnitPrice is too great")
    return price


@lru_cache(maxsize=65_536)
def _seconds(text: str) -> int:
    for form in _TIME_FORMATS:
        try:
            return int(datetime.strptime(text, form).replace(tzinfo=UTC).timestamp())
        except ValueError:
            continue
    raise ValueError("InvoiceDate is not a time such as 2010-12-01 08:26:00")


@lru_cache(maxsize=16_384)
def clean_title(description: str) -> str:
    """A description without repeated white space and without punctuation around it; case is kept."""
    return " ".join(description.split()).strip(" .,;:-*")
