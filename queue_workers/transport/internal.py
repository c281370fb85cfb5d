"""The internal port of the workers: health, metrics, and what each topic is doing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from meshkit.broker.port import Broker
from meshkit.broker.queue_server import queue_server
from meshkit.health import Health
from meshkit.process import blocking
from meshkit.security.access import require_open
from queue_workers.transport.consumer import Consumer
from queue_workers.transport.topic_state import set_gauges, topic_states


def internal_app(
    health: Health, broker: Broker, consumers: Sequence[Consumer], embedder: Callable[[], str]
) -> Starlette:
    """`/livez`, `/readyz`, `/metrics` and `/status`; `embedder` says what embeds texts now."""

    async def livez(_: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def readyz(_: Request) -> Response:
        return JSONResponse(health.report(), 200 if health.ready else 503)

    async def metrics(_: Request) -> Response:
        await blocking(set_gauges, broker, consumers)
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    async def status(_: Request) -> Response:
        states = await blocking(topic_states, broker, consumers)
        server = await blocking(queue_server, broker)
        return JSONResponse(
            {
                "ready": health.ready,
                "parts": health.report(),
                "embedder": embedder(),
                "queue_server": asdict(server),
                "topics": {topic: asdict(state) for topic, state in states.items()},
            }
        )

    routes = [
        Route("/livez", livez),
        Route("/readyz", readyz),
        Route("/metrics", metrics),
        Route("/status", status),
    ]
    require_open("workers", [route.path for route in routes])
    return Starlette(routes=routes)
