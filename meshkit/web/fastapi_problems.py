"""Problems as the answer to every error of a FastAPI application.

Apart from `asgi`, so that planes of other frameworks do not load FastAPI.
"""

from __future__ import annotations

from typing import Any

import orjson
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from meshkit.errors import FieldViolation, InvalidArgument, RecomeshError
from meshkit.web.asgi import http_problem
from meshkit.web.problem import MEDIA_TYPE, problem


def install_problems(app: FastAPI) -> None:
    """Makes a FastAPI application answer every error as a problem."""

    async def on_error(_: Request, error: Exception) -> Response:
        return _response(*problem(error))

    async def on_validation(_: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        return _response(*problem(InvalidArgument(FieldViolation(_path(e), e["msg"]) for e in error.errors())))

    async def on_http(_: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        return _response(error.status_code, http_problem(error), dict(error.headers or {}))

    app.add_exception_handler(RecomeshError, on_error)
    app.add_exception_handler(RequestValidationError, on_validation)
    app.add_exception_handler(HTTPException, on_http)
    app.add_exception_handler(Exception, on_error)  # without it Starlette would answer plain text


def _path(error: Any) -> str:
    where, *parts = (str(p) for p in error["loc"])
    return ".".join(parts) or where


def _response(status: int, body: dict[str, Any], headers: dict[str, str]) -> Response:
    return Response(orjson.dumps(body), status, headers, media_type=MEDIA_TYPE)
