"""Pages about segments: list, define, delete, and the live check of a filter."""

from __future__ import annotations

from flask import Blueprint, jsonify, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from meshkit.errors import InvalidArgument
from meshkit.filtering import PREFERENCE_FIELDS
from profile_svc.domain.model import Segment
from profile_svc.service.use_cases import UseCases


def segment_pages(do: UseCases) -> Blueprint:
    """Routes `/segments`, `/segment` and below."""
    pages = Blueprint("segments", __name__)

    @pages.get("/segments")
    def listing() -> str:
        return render_template("segments.html", counted=do.segments.count())

    @pages.get("/segment")
    def show() -> str:
        name = request.args.get("name", "")
        return _editor(do.segments.get(name) if name else Segment("", "", ""), {}, new=not name)

    @pages.post("/segment")
    def save() -> Response | tuple[str, int]:
        form = request.form
        given = Segment(form.get("name", ""), form.get("title", ""), form.get("filter", ""))
        try:
            if "new" in form and given.name in {c.segment.name for c in do.segments.count()}:
                raise InvalidArgument.of("name", f"a segment {given.name!r} exists already; choose another name")
            do.segments.define(given)
        except InvalidArgument as error:
            errors = {v.field: v.description for v in error.violations}
            return _editor(given, errors, new="new" in form), 400
        return redirect(url_for("segments.listing"), 303)

    @pages.post("/segment/delete")
    def delete() -> Response:
        do.segments.delete(request.form.get("name", ""))
        return redirect(url_for("segments.listing"), 303)

    @pages.get("/segment/check")
    def check() -> Response:
        """`{ok, matches}` or `{ok: false, error}` for the filter being typed."""
        try:
            return jsonify(ok=True, matches=do.segments.try_filter(request.args.get("filter", "")))
        except InvalidArgument as error:
            return jsonify(ok=False, error=error.violations[0].description)

    return pages


def _editor(segment: Segment, errors: dict[str, str], *, new: bool) -> str:
    return render_template("segment.html", s=segment, errors=errors, new=new, fields=list(PREFERENCE_FIELDS))
