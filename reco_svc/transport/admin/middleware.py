"""Around every page: access table, audit trail, a strict content policy, no caching, errors of the tree as pages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from meshkit import context, metrics
from meshkit.context import request_id
from meshkit.errors import PermissionDenied, RecomeshError, ResourceExhausted
from meshkit.security.access import route_row
from meshkit.security.caller import Caller, anonymous
from meshkit.security.row import OPEN
from meshkit.web.admin_login import administrator
from meshkit.web.audited import READS, record_change
from meshkit.web.guard import check_route
from meshkit.web.problem import problem
from reco_svc.transport.admin.plane import ENVIRON_KEY, AdminPlane

PLANE = "reco-admin"
# Product images stand on the shop's own hosts; everything else comes from here.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' http: https: data:; connect-src 'self';"
    " form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


class AdminMiddleware:
    """Django middleware."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Adds the headers; records changes."""
        response = self._get_response(request)
        response.headers["Content-Security-Policy"] = POLICY
        response.headers.setdefault("Cache-Control", "no-store")
        if request.method not in READS:
            _record(request, response)
        return response

    def process_view(self, request: HttpRequest, view: object, args: object, kwargs: object) -> HttpResponse | None:
        """Lets through what has a row in the access table, to whom it allows; a stranger is asked to log in."""
        route = request.resolver_match.route if request.resolver_match else ""
        method = request.method or "GET"
        try:
            if (method, route) == ("POST", "login/"):
                plane_of(request).failures.check(request.META["REMOTE_ADDR"])
            if route_row(PLANE, method, route) is OPEN:
                return None
            caller = caller_of(request)
            if caller.is_anonymous:
                return redirect_to_login(request.get_full_path(), reverse("admin:login"))
            check_route(PLANE, method, route, caller)
        except (PermissionDenied, ResourceExhausted) as error:
            return self.process_exception(request, error)
        context.act_for(caller)
        return None

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """A page that says what is wrong, with the status that the error has everywhere."""
        if not isinstance(error, RecomeshError):
            return None
        status, body, headers = problem(error)
        page = render(request, "reco_admin/error.html", {"problem": body, "request_id": request_id()}, status=status)
        for name, value in headers.items():
            page.headers[name] = value
        return page


def plane_of(request: HttpRequest) -> AdminPlane:
    """What the pages call."""
    plane = request.META[ENVIRON_KEY]
    assert isinstance(plane, AdminPlane)
    return plane


def caller_of(request: HttpRequest) -> Caller:
    """Who is logged in; every account of the plane is an administrator's."""
    user: Any = getattr(request, "user", None)
    if user is None or not user.is_authenticated or not user.is_staff:
        return anonymous(None)
    return administrator(user.get_username())


def _record(request: HttpRequest, response: HttpResponse) -> None:
    match = request.resolver_match
    login_failed = match is not None and match.url_name == "login" and response.status_code == 200
    if login_failed:
        metrics.BAD_CREDENTIALS_TOTAL.labels("password", "wrong").inc()
        plane_of(request).failures.count(request.META["REMOTE_ADDR"])
    status = 401 if login_failed else response.status_code
    record_change(plane_of(request).audit, PLANE, caller_of(request), request.method or "", request.path, status)
