"""Who may use the plane, and no change on behalf of another site."""

from __future__ import annotations

from urllib.parse import quote

from flask import Blueprint, Response, g, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from meshkit import context
from meshkit.errors import PermissionDenied, RecomeshError, ResourceExhausted, Unauthenticated
from meshkit.security.access import route_row
from meshkit.security.caller import Caller, anonymous
from meshkit.security.row import OPEN
from meshkit.web.admin_login import (
    CSRF_FIELD,
    CSRF_HEADER,
    AdminLogin,
    check_csrf,
    local_path,
    same_origin,
    use_session,
)
from meshkit.web.audited import READS
from meshkit.web.guard import check_route
from meshkit.web.problem import problem

PLANE = "profile-admin"


def guard(login: AdminLogin) -> AnyResponse | None:
    """Before each request: its route needs a row in the access table, its caller the scope, its form this session."""
    route = request.url_rule.rule if request.url_rule else ""
    use_session("")
    try:
        _refuse_other_sites()
        if route and route_row(PLANE, request.method, route) is OPEN:
            return None
        token = login.token_in(request.headers.get("Cookie", ""))
        signed_in = login.signed_in(token)
        g.caller = signed_in or _presented(login)
        if route:
            check_route(PLANE, request.method, route, g.caller)
        elif g.caller.is_anonymous:  # a stranger is not told which pages there are not
            raise Unauthenticated("log in with the admin name and password")
        if signed_in is not None:
            use_session(token)
            if request.method not in READS:
                check_csrf(token, request.headers.get(CSRF_HEADER) or request.form.get(CSRF_FIELD, ""))
    except Unauthenticated as error:
        return _ask_to_log_in(error)
    except (PermissionDenied, ResourceExhausted) as error:
        return _plain_problem(error)
    context.act_for(g.caller)
    return None


def login_pages(login: AdminLogin) -> Blueprint:
    """`/login`, `/logout`."""
    pages = Blueprint("login", __name__)

    @pages.get("/login")
    def form() -> str:
        return render_template("login.html", next=local_path(request.args.get("next", "/")), username="", trouble="")

    @pages.post("/login")
    def log_in() -> AnyResponse | tuple[str, int]:
        after, username = local_path(request.form.get("next", "/")), request.form.get("username", "")
        try:
            token, g.caller = login.sign_in(request.form, request.remote_addr or "")
        except (Unauthenticated, ResourceExhausted) as error:
            shown = render_template("login.html", next=after, username=username, trouble=error.message)
            return shown, problem(error)[0]
        answer = redirect(after, 303)
        answer.headers["Set-Cookie"] = login.cookie(token)
        return answer

    @pages.post("/logout")
    def log_out() -> AnyResponse:
        if token := login.token_in(request.headers.get("Cookie", "")):
            login.sign_out(token)
        answer = redirect("/login", 303)
        answer.headers["Set-Cookie"] = login.cookie("")
        return answer

    return pages


def _presented(login: AdminLogin) -> Caller:
    headers = request.headers
    known = login.known(headers.get("Authorization", ""), headers.get("X-API-Key", ""), request.remote_addr or "")
    return known or anonymous(None)


def _refuse_other_sites() -> None:
    headers = request.headers
    if not same_origin(request.method, headers.get("Sec-Fetch-Site", ""), headers.get("Origin", ""), request.host):
        raise PermissionDenied("another site sent this form; nothing was changed", reason="CROSS_SITE")


def _ask_to_log_in(error: Unauthenticated) -> AnyResponse:
    """A person is led to the login page, a script told what it lacks."""
    if request.method == "GET" and "text/html" in request.headers.get("Accept", ""):
        asked = request.full_path.rstrip("?")
        return redirect(f"/login?next={quote(asked, safe='')}", 303)
    refusal = _plain_problem(error)
    refusal.headers["WWW-Authenticate"] = 'Bearer realm="Recomesh profiles"'
    return refusal


def _plain_problem(error: RecomeshError) -> Response:
    status, body, headers = problem(error)
    return Response(f"{body['detail']}\n", status, headers, mimetype="text/plain")
