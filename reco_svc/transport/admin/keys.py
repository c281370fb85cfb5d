"""The page of API keys: list, create, rotate, revoke, and the latest of the audit trail."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from django.contrib import messages
from django.contrib.admin import AdminSite
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse

from meshkit.errors import InvalidArgument, RecomeshError
from meshkit.security.manage_keys import IssuedKey, ManageKeys
from meshkit.security.roles import Role, role_named
from reco_svc.transport.admin.middleware import caller_of, plane_of

SHOWN_ENTRIES = 50


def keys_view(site: AdminSite) -> Callable[[HttpRequest], HttpResponse]:
    """The page; a new key's text is shown in the answer to its form and never again."""

    def view(request: HttpRequest) -> HttpResponse:
        issued: IssuedKey | None = None
        if request.method == "POST":
            try:
                issued = _change(plane_of(request).keys, request)
            except RecomeshError as error:
                messages.error(request, f"Nothing was changed: {error.message}.")
            if issued is None:
                return HttpResponseRedirect(reverse("admin:keys"))
        return TemplateResponse(request, "reco_admin/keys.html", _context(site, request, issued))

    return view


def _context(site: AdminSite, request: HttpRequest, issued: IssuedKey | None) -> dict[str, Any]:
    plane, now = plane_of(request), datetime.now(UTC)
    return {
        **site.each_context(request),
        "title": "API keys",
        "issued": issued,
        "keys": [(key, key.state(now)) for key in reversed(plane.keys.list())],
        "roles": [role.value for role in Role],
        "entries": plane.audit.latest(SHOWN_ENTRIES),
    }


def _change(keys: ManageKeys, request: HttpRequest) -> IssuedKey | None:
    form, by = request.POST, caller_of(request).subject
    key_id = form.get("key_id", "")
    match form.get("action"):
        case "create":
            role = role_named(form.get("role", ""))
            if role is None:
                raise InvalidArgument.of("role", f"must be one of {', '.join(Role)}")
            days = _whole(form.get("days") or "0", "days")
            expires_in = timedelta(days=days) if days else None
            return keys.create(form.get("name", ""), role, by=by, expires_in=expires_in)
        case "rotate":
            return keys.rotate(key_id, by=by, grace=timedelta(hours=_whole(form.get("hours") or "24", "hours")))
        case "revoke":
            keys.revoke(key_id, by=by)
            messages.success(request, f"Key {key_id} is revoked.")
            return None
        case _:
            raise InvalidArgument.of("action", "must be create, rotate or revoke")


def _whole(text: str, field: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 5:
        raise InvalidArgument.of(field, "must be a whole number from 0 to 99999")
    return int(text)
