"""Who may use the plane, and no change on behalf of another site."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NoReturn
from urllib.parse import quote

from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.responses import RedirectResponse

from catalog_svc.transport.admin.rendering import page
from meshkit import context
from meshkit.errors import PermissionDenied, ResourceExhausted, Unauthenticated
from meshkit.process import blocking
from meshkit.security.caller import Caller
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
from meshkit.web.guard import CALLER, check, row_of

PLANE = "catalog-admin"
_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")


@dataclass(frozen=True, slots=True)
class Login:
    """A FastAPI dependency of every route: the route needs a row in the access table, the caller its scope."""

    admin: AdminLogin

    async def __call__(self, request: Request) -> None:
        """401 or the login page without good credentials; PermissionDenied without the scope, or for a forged form."""
        _refuse_other_sites(request)
        if row_of(PLANE, request.scope) is OPEN:
            return
        token = self.admin.token_in(request.headers.get("cookie", ""))
        signed_in = await blocking(self.admin.signed_in, token) if token else None
        try:
            caller = request.scope[CALLER] = signed_in or await self._caller(request)
            check(PLANE, request.scope, caller)
        except Unauthenticated as error:
            _ask_to_log_in(request, error)
        context.act_for(caller)
        if signed_in is not None:
            use_session(token)
            if request.method not in READS:
                check_csrf(token, await _csrf_sent(request))

    async def _caller(self, request: Request) -> Caller:
        headers = request.headers
        authorization, api_key = headers.get("authorization", ""), headers.get("x-api-key", "")
        known = self.admin.known(authorization, api_key, _address(request))
        return known or await self.admin.gate.caller_of(api_key or authorization.partition(" ")[2].strip())


def login_pages(admin: AdminLogin) -> APIRouter:
    """`/login`, `/logout`."""
    router = APIRouter(include_in_schema=False)

    @router.get("/login")
    def form(next: str = "/") -> Response:
        return page("login.html", next=local_path(next), username="", trouble="")

    @router.post("/login")
    async def log_in(request: Request) -> Response:
        async with request.form(max_files=0, max_fields=5) as sent:
            given = {name: str(sent.get(name, "")) for name in ("username", "password", "next")}
        shown = {"next": local_path(given["next"]), "username": given["username"]}
        try:
            token, request.scope[CALLER] = await blocking(admin.sign_in, given, _address(request))
        except Unauthenticated as error:
            return page("login.html", 401, trouble=error.message, **shown)
        except ResourceExhausted as error:
            return page("login.html", 429, trouble=error.message, **shown)
        return RedirectResponse(shown["next"], 303, {"set-cookie": admin.cookie(token)})

    @router.post("/logout")
    async def log_out(request: Request) -> Response:
        if token := admin.token_in(request.headers.get("cookie", "")):
            await blocking(admin.sign_out, token)
        return RedirectResponse("/login", 303, {"set-cookie": admin.cookie("")})

    return router


def _refuse_other_sites(request: Request) -> None:
    site, origin, host = (request.headers.get(name, "") for name in ("sec-fetch-site", "origin", "host"))
    if not same_origin(request.method, site, origin, host):
        raise PermissionDenied("another site sent this request; nothing was changed", reason="CROSS_SITE")


def _ask_to_log_in(request: Request, error: Unauthenticated) -> NoReturn:
    """A person is led to the login page, a script told what it lacks."""
    asks_for_page = request.method == "GET" and "text/html" in request.headers.get("accept", "")
    if asks_for_page and not request.url.path.startswith("/v1/"):
        path = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        raise HTTPException(303, headers={"location": f"/login?next={quote(path, safe='')}"})
    raise HTTPException(401, error.message, headers={"www-authenticate": 'Bearer realm="Recomesh catalog"'})


async def _csrf_sent(request: Request) -> str:
    if header := request.headers.get(CSRF_HEADER):
        return header
    if not request.headers.get("content-type", "").startswith(_FORMS):
        return ""
    return str((await request.form(max_files=1, max_fields=50)).get(CSRF_FIELD, ""))


def _address(request: Request) -> str:
    return request.client.host if request.client else ""
