"""Templates of the plane. Everything put into one is escaped."""

from __future__ import annotations

from datetime import datetime
from functools import cache
from pathlib import Path
from urllib.parse import quote

from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from catalog_svc.domain.model import Product
from meshkit.web.admin_login import TEMPLATES, csrf_input

HERE = Path(__file__).parent
_POLICY = (
    "default-src 'self'; img-src * data:; object-src 'none'; frame-ancestors 'none'; base-uri 'none';"
    " form-action 'self'"
)
PAGE_HEADERS = {"Content-Security-Policy": _POLICY, "Cache-Control": "no-store"}


def page(template: str, status: int = 200, /, **values: object) -> HTMLResponse:
    """An HTML answer."""
    return HTMLResponse(environment().get_template(template).render(values), status, PAGE_HEADERS)


@cache
def environment() -> Environment:
    """The templates with their filters."""
    made = Environment(
        loader=FileSystemLoader([HERE / "templates", TEMPLATES]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals["csrf_input"] = csrf_input
    made.filters |= {"moment": _moment, "number": _number, "price": _price, "url": _url}
    return made


def _moment(value: datetime | None) -> str:
    return "" if value is None else f"{value:%Y-%m-%d %H:%M:%S}"


def _number(value: int) -> str:
    return f"{value:,}"


def _price(product: Product) -> str:
    amount = product.effective_price
    return "" if amount is None else f"{amount:,.2f} {product.currency}"


def _url(text: str) -> str:
    return quote(text, safe="")
