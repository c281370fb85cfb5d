"""Building the admin plane: what it needs, its Django settings, the WSGI application.

The composition root passes `django_settings(…)` to `django_setup.configure`, migrates, calls `ensure_admin`, and serves
`admin_app(AdminPlane(…))` with `meshkit.web.planes.serve_wsgi`. Pages find the `AdminPlane` in the WSGI environment.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import orjson
import prometheus_client

from meshkit.security.audit import Audit
from meshkit.security.manage_keys import ManageKeys
from meshkit.web.login_failures import LoginFailures
from meshkit.web.wsgi import StartResponse, WsgiApp, with_request_context
from reco_svc.domain.model import Explanation, Model, Recommendation, RecommendQuery, TrainingRun
from reco_svc.domain.readiness import SourceReadiness

ENVIRON_KEY = "recomesh.admin_plane"
COOKIE_PREFIX = "recomesh_reco"
STATIC = Path(__file__).parent / "static"


class ModelUseCases(Protocol):
    """`service.models.Models`."""

    def train(self, note: str, force: bool) -> TrainingRun:
        """Asks for a run."""
        ...

    def activate(self, version: str) -> Model:
        """By version or "previous"."""
        ...


@dataclass(frozen=True, slots=True)
class AdminPlane:
    """What the pages call, each from a thread of the web server.

    `preview` and `explain` must hand over to the event loop themselves. `cards` gives JSON cards
    (meshkit.product_card) of those products that exist. `shop_url` goes before images and links that are paths.
    `health` is `Health.report`; `readiness` says what each source has and needs. `failures` counts wrong logins.
    """

    preview: Callable[[RecommendQuery], Recommendation]
    explain: Callable[[str, str], Explanation]
    cards: Callable[[Sequence[str]], Sequence[Mapping[str, object]]]
    models: ModelUseCases
    health: Callable[[], Mapping[str, str]]
    readiness: Callable[[], Sequence[SourceReadiness]]
    keys: ManageKeys
    audit: Audit
    shop_url: str = ""
    failures: LoginFailures = field(default_factory=LoginFailures)


def django_settings(*, host: str, allowed_hosts: Sequence[str] = (), secure_cookies: bool = False) -> dict[str, Any]:
    """Django settings of the plane. `host` is the address it listens on; any Host header is taken when that is all
    addresses, otherwise only loopback names, `host` and `allowed_hosts`. `secure_cookies`: it is reached over TLS."""
    everywhere = host in ("0.0.0.0", "::", "")
    return {
        "ALLOWED_HOSTS": ["*"] if everywhere else ["localhost", "127.0.0.1", "[::1]", host, *allowed_hosts],
        "INSTALLED_APPS": [
            "reco_svc.transport.admin.apps.RecoAdminConfig",
            "django.contrib.admin.apps.SimpleAdminConfig",
            "django.contrib.auth",
            "django.contrib.contenttypes",
            "django.contrib.sessions",
            "django.contrib.messages",
        ],
        "MIDDLEWARE": [
            "django.middleware.security.SecurityMiddleware",
            "reco_svc.transport.admin.middleware.AdminMiddleware",
            "django.contrib.sessions.middleware.SessionMiddleware",
            "django.middleware.common.CommonMiddleware",
            "django.middleware.csrf.CsrfViewMiddleware",
            "django.contrib.auth.middleware.AuthenticationMiddleware",
            "django.contrib.messages.middleware.MessageMiddleware",
            "django.middleware.clickjacking.XFrameOptionsMiddleware",
        ],
        "TEMPLATES": [_TEMPLATES],
        "ROOT_URLCONF": "reco_svc.transport.admin.urls",
        "STATIC_URL": "/static/",
        "SESSION_COOKIE_NAME": f"{COOKIE_PREFIX}_session",
        "SESSION_COOKIE_SAMESITE": "Strict",
        "SESSION_COOKIE_SECURE": secure_cookies,
        "SESSION_COOKIE_AGE": 12 * 3600,
        "CSRF_COOKIE_NAME": f"{COOKIE_PREFIX}_csrf",
        "CSRF_COOKIE_SAMESITE": "Strict",
        "CSRF_COOKIE_HTTPONLY": True,
        "CSRF_COOKIE_SECURE": secure_cookies,
        "SECURE_SSL_REDIRECT": secure_cookies,
        "SECURE_HSTS_SECONDS": 365 * 24 * 3600 if secure_cookies else 0,
        # whether other hosts of the domain speak https, and browsers' lists know it, is not this plane's to decide
        "SILENCED_SYSTEM_CHECKS": ["security.W005", "security.W021"],
        "X_FRAME_OPTIONS": "DENY",
        "USE_I18N": False,
        "FORMAT_MODULE_PATH": "reco_svc.transport.admin.formats",
    }


def ensure_admin(user: str, password: str) -> None:
    """Creates the one account, or gives it the present password (kept as a hash), and closes every other account."""
    from django.contrib.auth.models import User

    accounts = User.objects
    account, _ = accounts.get_or_create(username=user)
    if not account.check_password(password):
        account.set_password(password)
    account.is_active = account.is_staff = account.is_superuser = True
    account.save()
    accounts.exclude(username=user).update(is_active=False)


def admin_app(plane: AdminPlane) -> WsgiApp:
    """The whole plane: `/livez`, `/readyz` and `/metrics` without login, static files, pages."""
    import django.contrib.admin
    from django.core.wsgi import get_wsgi_application
    from whitenoise import WhiteNoise  # type: ignore[import-untyped]

    pages = WhiteNoise(_with_plane(get_wsgi_application(), plane), max_age=3600)
    pages.add_files(str(Path(django.contrib.admin.__file__).parent / "static"), prefix="static/")
    pages.add_files(str(STATIC), prefix="static/")
    return with_request_context(_with_probes(pages, plane))


def _with_plane(app: WsgiApp, plane: AdminPlane) -> WsgiApp:
    def wrapped(environ: dict[str, Any], start_response: StartResponse) -> Any:
        environ[ENVIRON_KEY] = plane
        return app(environ, start_response)

    return wrapped


def _with_probes(app: WsgiApp, plane: AdminPlane) -> WsgiApp:
    """Answers probes before Django looks at host names, so that they work by address."""

    def wrapped(environ: dict[str, Any], start_response: StartResponse) -> Any:
        path = environ.get("PATH_INFO")
        if environ.get("REQUEST_METHOD") not in ("GET", "HEAD"):
            return app(environ, start_response)
        if path == "/metrics":
            start_response("200 OK", [("Content-Type", prometheus_client.CONTENT_TYPE_LATEST)])
            return [prometheus_client.generate_latest()]
        if path not in ("/livez", "/readyz"):
            return app(environ, start_response)
        parts = dict(plane.health()) if path == "/readyz" else {"process": "ok"}
        ready = all(state == "ok" for state in parts.values())
        start_response(
            "200 OK" if ready else "503 Service Unavailable",
            [("Content-Type", "application/json"), ("Cache-Control", "no-store")],
        )
        return [orjson.dumps(parts)]

    return wrapped


_TEMPLATES: dict[str, Any] = {
    "BACKEND": "django.template.backends.django.DjangoTemplates",
    "APP_DIRS": True,
    "OPTIONS": {
        "context_processors": [
            "django.template.context_processors.request",
            "django.contrib.auth.context_processors.auth",
            "django.contrib.messages.context_processors.messages",
        ]
    },
}
