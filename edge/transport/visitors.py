"""Routes of visitors: what they do, what they like, how to be forgotten."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import Response
from pydantic import ValidationError

from edge.domain.events import EventVerdict
from edge.service import ga4
from edge.service.record_events import ReadEvent
from edge.service.replay import KeptAnswer
from edge.transport import render
from edge.transport.bodies import EventIn, EventsIn, ProfileIn
from edge.transport.bounds import Id
from edge.transport.direct_routes import Handler
from edge.transport.documents import ProfileOut, ReceiptOut, VerdictsOut, body_document, problems
from edge.transport.examples import EVENT_EXAMPLES, PROFILE_EXAMPLES, VISITOR_ID
from edge.transport.params import NoParams
from edge.transport.requests import json_body, once, query_params, validated, violations
from edge.transport.services import Services
from meshkit.errors import InvalidArgument

MAX_EVENTS = 1000
TOO_MANY_OF_A_PRODUCT = "product_id: too many events of this product from one visitor or address"
_VISITOR = Path(examples=[VISITOR_ID])


def event_routes(services: Services) -> APIRouter:
    """POST /v1/events."""
    router, handler = APIRouter(tags=["Events"]), events_answer(services)

    @router.post(
        "/v1/events",
        status_code=202,
        operation_id="record_events",
        responses={202: {"model": VerdictsOut}, **problems(400, 409, 413, 503)},
        openapi_extra=body_document(EventsIn, EVENT_EXAMPLES),
    )
    async def record_events(request: Request, _: Annotated[NoParams, Query()]) -> Response:
        """Up to 1,000 events, each with its own verdict: `accepted`, `duplicate`, `late`, `unknown_product`, `invalid`.

        What is accepted is durable, and counts once per `event_id`. GA4 e-commerce payloads are read too.
        """
        return await handler(request)

    return router


def events_answer(services: Services) -> Handler:
    """The handler of POST /v1/events."""

    async def handler(request: Request) -> Response:
        query_params(NoParams, request)
        seed = request.headers.get("idempotency-key") or secrets.token_hex(16)
        events = read_events(await json_body(request), seed)
        services.limits.take_events(request.scope, len(events))
        events = [_within_limits(event, services, request) for event in events]

        async def work() -> KeptAnswer:
            return KeptAnswer(202, render.verdicts_json(await services.record_events(events)))

        return await once(request, services, work)

    return handler


def profile_routes(services: Services) -> APIRouter:
    """Preferences of anonymous visitors."""
    router = APIRouter(tags=["Profiles"])
    path = "/v1/profiles/{visitor_id:path}"

    @router.get(path, operation_id="get_profile", responses={200: {"model": ProfileOut}, **problems(400, 503)})
    async def get_profile(
        request: Request, visitor_id: Annotated[Id, _VISITOR], _: Annotated[NoParams, Query()]
    ) -> Response:
        """Preferences of a visitor; an unknown visitor has empty ones."""
        body = render.preferences_json(await services.profiles.read(visitor_id))
        return render.read_response(request, body, cache=render.PRIVATE)

    @router.patch(
        path,
        operation_id="change_profile",
        responses={200: {"model": ProfileOut}, **problems(400, 409, 503)},
        openapi_extra=body_document(ProfileIn, PROFILE_EXAMPLES),
    )
    async def change_profile(
        request: Request, visitor_id: Annotated[Id, _VISITOR], _: Annotated[NoParams, Query()]
    ) -> Response:
        """Changes the fields that are given; null clears one."""
        change = validated(ProfileIn, await json_body(request)).change(visitor_id)

        async def work() -> KeptAnswer:
            return KeptAnswer(200, render.preferences_json(await services.profiles.change(change)))

        return await once(request, services, work, subject=visitor_id)

    @router.delete(
        path, operation_id="erase_profile", responses={200: {"model": ReceiptOut}, **problems(400, 409, 503)}
    )
    async def erase_profile(
        request: Request, visitor_id: Annotated[Id, _VISITOR], _: Annotated[NoParams, Query()]
    ) -> Response:
        """Erases preferences, session and events of a visitor; the receipt says what was erased where."""

        async def work() -> KeptAnswer:
            return KeptAnswer(200, render.receipt_json(await services.profiles.erase(visitor_id)))

        return await once(request, services, work, subject=visitor_id)

    return router


def read_events(body: object, seed: str) -> list[ReadEvent]:
    """The events in a body: those of the mesh, and GA4 payloads by their content. An unreadable one has its verdict.

    Raises InvalidArgument if the body as a whole is no such payload, or holds more than 1,000 events.
    """
    if not isinstance(body, Mapping):
        raise InvalidArgument.of("body", 'must be an object: {"events": [...]}')
    given = body.get("events", [body] if ga4.is_ga4(body) else None)
    if not isinstance(given, list) or not given:
        raise InvalidArgument.of("events", f"must be a list of 1 to {MAX_EVENTS} events")
    own_only = not any(isinstance(event, Mapping) and ga4.is_ga4(event) for event in given)
    if own_only and (unknown := sorted(set(body) - {"events"})):
        raise InvalidArgument.of(unknown[0], "unknown field")
    read: list[ReadEvent] = []
    for number, event in enumerate(given):
        if isinstance(event, Mapping) and ga4.is_ga4(event):
            found = ga4.events_of(event, body if "events" in body else {}, f"{seed}:{number}")
            read += [_read(one) if isinstance(one, Mapping) else one for one in found]
        else:
            read.append(_read(event))
        if len(read) > MAX_EVENTS:
            raise InvalidArgument.of("events", f"at most {MAX_EVENTS} events in one request")
    return read


def _within_limits(event: ReadEvent, services: Services, request: Request) -> ReadEvent:
    if isinstance(event, EventVerdict) or not event.product_id:
        return event
    if services.limits.moves_product(request.scope, event.visitor_id, event.product_id):
        return event
    return EventVerdict(
        event.event_id, "invalid", "product_id: too many events of this product from one visitor or address"
    )


def _read(event: object) -> ReadEvent:
    try:
        return EventIn.model_validate(event).interaction()
    except ValidationError as error:
        event_id = event.get("event_id") if isinstance(event, Mapping) else None
        shown = event_id[:128] if isinstance(event_id, str) else ""
        found = [v.description if v.field == "body" else f"{v.field}: {v.description}" for v in violations(error)]
        return EventVerdict(shown, "invalid", "; ".join(found[:3]))
