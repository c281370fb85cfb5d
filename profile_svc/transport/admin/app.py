"""The Flask application: errors, headers, operations routes."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from flask import Flask, Response, g, jsonify, render_template, request
from jinja2 import FileSystemLoader
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from werkzeug.exceptions import HTTPException

from meshkit.errors import RecomeshError
from meshkit.health import Health
from meshkit.web.admin_login import TEMPLATES, AdminLogin, csrf_input
from meshkit.web.audited import READS, record_change
from meshkit.web.problem import problem
from profile_svc.service.use_cases import UseCases
from profile_svc.transport.admin.login import PLANE, guard, login_pages
from profile_svc.transport.admin.segment_pages import segment_pages
from profile_svc.transport.admin.visitor_pages import amount_text, visitor_pages

OPEN_PATHS = frozenset({"/livez", "/readyz", "/metrics"})
MAX_FORM_BYTES = 256 * 1024
CONTENT_POLICY = "default-src 'self'; object-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'"


def admin_app(do: UseCases, login: AdminLogin, health: Health) -> Flask:
    """A WSGI application; it keeps no state of its own."""
    app = Flask(__name__)
    app.config["MAX_CONTENT_LENGTH"] = MAX_FORM_BYTES
    app.jinja_env.filters["amount"] = amount_text
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True

    app.jinja_env.loader = FileSystemLoader([Path(__file__).parent / "templates", TEMPLATES])
    app.jinja_env.globals["csrf_input"] = csrf_input
    app.before_request(partial(guard, login))

    @app.after_request
    def audited(response: Response) -> Response:
        if request.method not in READS:
            caller = g.get("caller")
            record_change(login.gate.audit, PLANE, caller, request.method, request.path, response.status_code)
        return response

    @app.after_request
    def policy(response: Response) -> Response:
        response.headers.setdefault("Content-Security-Policy", CONTENT_POLICY)
        if request.path not in OPEN_PATHS and not request.path.startswith("/static/"):
            response.headers.setdefault("Cache-Control", "no-store")
        return response

    @app.errorhandler(RecomeshError)
    def on_error(error: RecomeshError) -> tuple[str, int]:
        status, body, _ = problem(error)
        return render_template("error.html", status=status, title=body["title"], detail=body["detail"]), status

    @app.errorhandler(HTTPException)
    def on_http(error: HTTPException) -> tuple[str, int]:
        status = error.code or 500
        return render_template("error.html", status=status, title=error.name, detail=error.description), status

    app.register_blueprint(login_pages(login))
    app.register_blueprint(visitor_pages(do))
    app.register_blueprint(segment_pages(do))
    _add_operations(app, health)
    return app


def _add_operations(app: Flask, health: Health) -> None:
    @app.get("/livez")
    def livez() -> Response:
        return jsonify(status="ok")

    @app.get("/readyz")
    def readyz() -> tuple[Response, int]:
        return jsonify(health.report()), 200 if health.ready else 503

    @app.get("/metrics")
    def metrics() -> Response:
        return Response(generate_latest(), content_type=CONTENT_TYPE_LATEST)
