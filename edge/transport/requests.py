"""Reading requests: JSON bodies, idempotency keys."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Awaitable, Callable, Iterable
from functools import lru_cache
from typing import Any, TypeVar
from urllib.parse import parse_qsl

import orjson
from fastapi import Request
from fastapi.responses import Response
from pydantic import BaseModel, ValidationError
from starlette.exceptions import HTTPException

from edge.service.replay import KeptAnswer
from edge.transport.services import Services
from meshkit import context
from meshkit.errors import FieldViolation, InvalidArgument
from meshkit.web.guard import CALLER

M = TypeVar("M", bound=BaseModel)
SHORT_QUERY = 100  # characters
_KEY = re.compile(r"[\x21-\x7e]{1,255}")


async def json_body(request: Request) -> object:
    """The JSON value of a body.

    Raises InvalidArgument (MALFORMED_JSON) for anything that is not JSON in UTF-8 (NaN and 1,000 levels of nesting
    included), HTTPException 415 for another media type.
    """
    given = next((value for name, value in request.scope["headers"] if name == b"content-type"), b"application/json")
    if given != b"application/json":
        media_type = given.decode("latin-1").partition(";")[0].strip().lower()
        if not (media_type == "application/json" or media_type.endswith("+json")):
            raise HTTPException(415, "the body must be application/json")
    try:
        return orjson.loads(await request.body())
    except orjson.JSONDecodeError as error:
        raise InvalidArgument.of("body", f"is not JSON: {error}", reason="MALFORMED_JSON") from None


def query_params(model: type[M], request: Request) -> M:
    """The query string as a model. Raises InvalidArgument, also for a parameter that is given twice."""
    text = request.scope["query_string"]
    return _short_query(model, text) if len(text) <= SHORT_QUERY else _query(model, text)


def _query(model: type[M], text: bytes) -> M:
    pairs = parse_qsl(text.decode("latin-1"), keep_blank_values=True)
    given = dict(pairs)
    if len(given) < len(pairs):
        raise InvalidArgument.of("query", "gives a parameter twice")
    return validated(model, given)


@lru_cache(maxsize=256)
def _short_query(model: type[M], text: bytes) -> M:
    """The same few come again and again; nobody changes what they were read into."""
    return _query(model, text)


def validated(model: type[M], value: object) -> M:
    """A JSON value as a request model. Raises InvalidArgument with every wrong field by its path."""
    try:
        return model.model_validate(value)
    except ValidationError as error:
        raise InvalidArgument(violations(error)) from None


def violations(error: ValidationError) -> Iterable[FieldViolation]:
    """What pydantic found: paths as the caller wrote them ("session[3].product_id")."""
    return [FieldViolation(_path(found["loc"]) or "body", _what(found)) for found in error.errors(include_url=False)]


async def once(
    request: Request, services: Services, work: Callable[[], Awaitable[KeptAnswer]], *, subject: str = ""
) -> Response:
    """Answers a write, or repeats its answer when its `Idempotency-Key` was seen before. Raises InvalidArgument.

    A write may take longer than a read: giving it up early would only make the caller send it again.
    """
    context.limit_time(services.write_timeout_s)
    key = request.headers.get("idempotency-key", "")
    if key and not _KEY.fullmatch(key):
        raise InvalidArgument.of("Idempotency-Key", "must be 1 to 255 visible ASCII characters")
    worked = False

    async def first() -> KeptAnswer:
        nonlocal worked
        worked = True
        return await work()

    fingerprint = hashlib.blake2b(digest_size=16)
    for part in (request.method.encode(), request.scope["path"].encode(), await request.body()):
        fingerprint.update(len(part).to_bytes(8, "big") + part)
    own = key and f"{request.scope[CALLER].subject} {key}"  # what another caller's answer was is not theirs to know
    answer = await services.replays.once(own, fingerprint.digest(), first, subject=subject)
    headers = {"cache-control": "no-store"}
    if not worked:
        headers["idempotent-replayed"] = "true"
    return Response(answer.body, answer.status, headers, media_type="application/json")


def _path(loc: tuple[int | str, ...]) -> str:
    text = ""
    for part in loc:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text


def _what(found: Any) -> str:
    if found["type"] == "extra_forbidden":
        return "unknown field"
    return str(found["msg"]).removeprefix("Value error, ")
