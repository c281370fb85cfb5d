"""Pages about visitors: browse, edit, erase."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from meshkit.errors import Aborted, FieldViolation, InvalidArgument
from profile_svc.domain.model import Preferences, Price
from profile_svc.domain.rules import EDITABLE, MAX_ID_BYTES
from profile_svc.service.use_cases import UseCases

PAGE_SIZE = 50


def visitor_pages(do: UseCases) -> Blueprint:
    """Routes `/`, `/visitors`, `/visitor` and below. Ids stand in the query, since they may hold any character."""
    pages = Blueprint("visitors", __name__)

    @pages.get("/")
    def home() -> Response:
        return redirect(url_for("visitors.browse"))

    @pages.get("/visitors")
    def browse() -> str:
        search = request.args.get("q", "")[:MAX_ID_BYTES]
        page = do.browse(search, request.args.get("after", "")[:MAX_ID_BYTES], PAGE_SIZE)
        rows = [(p, do.segments.names_of(p)) for p in page.visitors]
        return render_template(
            "visitors.html", rows=rows, q=search, next_after=page.next_after_id, total=do.browse.count()
        )

    @pages.get("/visitor")
    def show() -> str:
        found = do.read(request.args.get("id", ""))
        return _editor(do, found, {}, saved="saved" in request.args)

    @pages.post("/visitor")
    def save() -> Response | tuple[str, int]:
        given = Preferences(request.form.get("visitor_id", ""))
        try:
            given = _from_form()
            do.update(given, EDITABLE)
        except InvalidArgument as error:
            return _editor(do, given, {v.field: v.description for v in error.violations}), 400
        except Aborted as error:
            return _editor(do, do.read(given.visitor_id), {"visitor_id": error.message}), 409
        return redirect(url_for("visitors.show", id=given.visitor_id, saved=1), 303)

    @pages.post("/visitor/erase")
    def erase() -> str:
        visitor_id = request.form.get("visitor_id", "")
        return render_template("receipt.html", visitor_id=visitor_id, receipt=do.erase(visitor_id))

    return pages


def amount_text(amount: float) -> str:
    """An amount as people type it: 19.9, 1500000."""
    return f"{amount:.15g}"


def _editor(do: UseCases, shown: Preferences, errors: dict[str, str], *, saved: bool = False) -> str:
    known = "visitor_id" not in errors and shown.visitor_id
    receipts = do.receipts(shown.visitor_id) if known else ()
    texts = {name: request.form.get(name, "") for name in ("price_min", "price_max", "currency")}
    if request.method == "GET" or not errors:
        texts = {
            "price_min": amount_text(shown.price_min.amount) if shown.price_min else "",
            "price_max": amount_text(shown.price_max.amount) if shown.price_max else "",
            "currency": (shown.price_min or shown.price_max or Price(0, "")).currency,
        }
    segments = do.segments.names_of(shown)
    return render_template(
        "visitor.html", p=shown, texts=texts, errors=errors, segments=segments, receipts=receipts, saved=saved
    )


def _from_form() -> Preferences:
    form = request.form
    wrong: list[FieldViolation] = []
    currency = form.get("currency", "").strip().upper()
    bounds = {}
    for field in ("price_min", "price_max"):
        text = form.get(field, "").strip()
        try:
            bounds[field] = Price(float(text), currency) if text else None
        except ValueError:
            wrong.append(FieldViolation(field, "must be a number such as 19.90, or empty"))
    revision = form.get("revision", "0")
    if wrong:
        raise InvalidArgument(wrong)
    return Preferences(
        visitor_id=form.get("visitor_id", ""),
        categories=_lines("categories"),
        brands=_lines("brands"),
        excluded_categories=_lines("excluded_categories"),
        price_min=bounds["price_min"],
        price_max=bounds["price_max"],
        opted_out="opted_out" in form,
        revision=int(revision) if revision.isascii() and revision.isdigit() else 0,
    )


def _lines(field: str) -> tuple[str, ...]:
    return tuple(line.strip() for line in request.form.get(field, "").splitlines() if line.strip())
