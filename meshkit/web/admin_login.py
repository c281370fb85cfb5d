"""Who may use an admin plane: one name and password for all planes, made on first start; or an API key.

People log in on a page and get a session; scripts send the key or the password with each request. The password stands
in `<home>/admin_password` (mode 0600) unless RECOMESH_ADMIN_PASSWORD gives one; no store holds it.
"""

from __future__ import annotations

import base64
import binascii
import re
import secrets
import time
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from http.cookies import CookieError, SimpleCookie
from pathlib import Path

from markupsafe import Markup

from meshkit import metrics
from meshkit.errors import PermissionDenied, Unauthenticated
from meshkit.secret_files import kept_secret
from meshkit.security.api_keys import PREFIX
from meshkit.security.caller import Caller, anonymous
from meshkit.security.gate import Gate, bearer
from meshkit.security.roles import Role
from meshkit.security.sessions import Session, csrf_of, digest_of, new_token, proof_of
from meshkit.settings import MeshSettings
from meshkit.web.login_failures import LoginFailures

PASSWORD_FILE = "admin_password"
TEMPLATES = Path(__file__).parent / "templates"
LIFE_S = 12 * 3600.0
CSRF_FIELD, CSRF_HEADER = "csrf", "x-csrf-token"
_LOCAL_PATH = re.compile(r"/(?![/\\])[\x21-\x5b\x5d-\x7e]*\Z")
_csrf: ContextVar[str] = ContextVar("csrf", default="")


def admin_password(settings: MeshSettings) -> str:
    """The password in force; made and stored on first use. Safe to call from several processes at once."""
    if given := settings.admin_password.get_secret_value():
        return given
    return kept_secret(settings.home, PASSWORD_FILE, lambda: secrets.token_urlsafe(18))


@dataclass(frozen=True, slots=True)
class AdminLogin:
    """The administrator by name and password, everybody else by API key or token; `secure`: the plane speaks https."""

    gate: Gate
    user: str
    password: str = field(repr=False)
    secure: bool = False
    failures: LoginFailures = field(default_factory=LoginFailures)
    clock: Callable[[], float] = time.time

    def known(self, authorization: str, api_key: str, address: str = "") -> Caller | None:
        """The caller by what a script sends; an anonymous one without the right to anything if it sent nothing.

        None for a token that must be checked with `gate.caller_of`. Unauthenticated for wrong credentials,
        ResourceExhausted for an address that sent too many.
        """
        if not api_key and not authorization:
            return anonymous(None)
        self.failures.check(address)
        try:
            if api_key:
                return self.gate.known(api_key)
            if authorization[:6].lower() != "basic ":
                return self.gate.known(bearer(authorization))
            if basic_login_ok(authorization, self.user, self.password):
                return administrator(self.user)
            raise _wrong_password()
        except Unauthenticated:
            self.failures.count(address)
            raise

    def sign_in(self, form: Mapping[str, str], address: str) -> tuple[str, Caller]:
        """A new session's token, for `username` and `password` or for an API key as the password. Blocking.

        Unauthenticated, ResourceExhausted; Unavailable if sessions can not be kept now.
        """
        self.failures.check(address)
        try:
            holder, caller = self._checked(form.get("username", ""), form.get("password", ""))
        except Unauthenticated:
            self.failures.count(address)
            raise
        token = new_token()
        proof = b"" if holder else proof_of(token, self.password)
        self.gate.sessions.add(Session(digest_of(token), holder, proof, self.clock() + LIFE_S))
        return token, caller

    def _checked(self, user: str, password: str) -> tuple[str, Caller]:
        if password.startswith(PREFIX):
            caller = self.gate.known(password.strip())
            if caller is not None:
                return caller.subject.removeprefix("key:"), caller
        if not _same(f"{user}:{password}", f"{self.user}:{self.password}"):
            raise _wrong_password()
        return "", administrator(self.user)

    def signed_in(self, token: str) -> Caller | None:
        """The caller of a session; None without one, or if its key or password is no more. Blocking. Unavailable."""
        session = self.gate.sessions.find(digest_of(token)) if token else None
        if session is None or session.expires_s <= self.clock():
            return None
        if session.holder:
            return self.gate.holder(session.holder)
        proven = secrets.compare_digest(session.proof, proof_of(token, self.password))
        return administrator(self.user) if proven else None

    def sign_out(self, token: str) -> None:
        """Ends a session. Blocking. Unavailable."""
        self.gate.sessions.remove(digest_of(token))

    @property
    def cookie_name(self) -> str:
        """With https a name that browsers take from this host alone and only over https."""
        return "__Host-recomesh_admin" if self.secure else "recomesh_admin"

    def cookie(self, token: str) -> str:
        """A Set-Cookie line; "" takes the cookie away."""
        life = int(LIFE_S) if token else 0
        secure = "; Secure" if self.secure else ""
        return f"{self.cookie_name}={token}; Max-Age={life}; Path=/; HttpOnly; SameSite=Strict{secure}"

    def token_in(self, cookies: str) -> str:
        """The session's token in a Cookie header, "" without one."""
        try:
            found = SimpleCookie(cookies).get(self.cookie_name)
        except CookieError:
            return ""
        return found.value if found else ""


def use_session(token: str) -> None:
    """From now on pages made in this task have forms that belong to this session; "": to none."""
    _csrf.set(csrf_of(token) if token else "")


def csrf_input() -> Markup:
    """For templates: the hidden field of a form that changes something."""
    return Markup('<input type="hidden" name="{}" value="{}">').format(CSRF_FIELD, _csrf.get())


def check_csrf(token: str, sent: str) -> None:
    """PermissionDenied for a change that was not sent from a page of the same session."""
    if not _same(sent, csrf_of(token)):
        raise PermissionDenied("this form is not of your session; open the page again", reason="CSRF_TOKEN_WRONG")


def local_path(text: str) -> str:
    """Where to go after the login: a path of this plane, else "/"."""
    return text if _LOCAL_PATH.match(text) else "/"


def administrator(user: str) -> Caller:
    """Who logged in with name and password."""
    name = re.sub(r"[^A-Za-z0-9._@-]", "_", user)[:100]
    return Caller.of(f"admin:{name}", Role.OPERATOR)


def basic_login_ok(header: str, user: str, password: str) -> bool:
    """True if an Authorization header holds these credentials (RFC 7617); constant time in the credentials."""
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic":
        return False
    try:
        given = base64.b64decode(encoded.strip(), validate=True)
    except (binascii.Error, ValueError):
        return False
    return secrets.compare_digest(given, f"{user}:{password}".encode())


def same_origin(method: str, fetch_site: str, origin: str, host: str) -> bool:
    """False for a state-changing request that a browser sends on behalf of another site (CSRF)."""
    if method in ("GET", "HEAD", "OPTIONS"):
        return True
    if fetch_site:
        return fetch_site in ("same-origin", "none")
    return not origin or origin.partition("://")[2] == host


def _same(given: str, wanted: str) -> bool:
    return secrets.compare_digest(given.encode(errors="surrogatepass"), wanted.encode())


def _wrong_password() -> Unauthenticated:
    metrics.BAD_CREDENTIALS_TOTAL.labels("password", "wrong").inc()
    return Unauthenticated("the name, password or key is wrong", reason="LOGIN_WRONG")
