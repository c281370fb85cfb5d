"""The baselines, `python -m bench.bare http|grpc PORT BYTES`: bare servers that answer the same bytes to everything."""

from __future__ import annotations

import sys
from typing import Any

import grpc
import grpc.aio
import uvicorn
import uvloop

METHOD = "/bench.Bare/Echo"


def main() -> None:
    """Serves until it is killed."""
    kind, port, body = sys.argv[1], int(sys.argv[2]), b"x" * int(sys.argv[3])
    if kind == "grpc":
        uvloop.run(serve_grpc(port, body))
    else:
        serve_http(port, body)


def serve_http(port: int, body: bytes) -> None:
    """A bare ASGI application under the server that the edge uses."""
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]

    async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    uvicorn.run(app, host="127.0.0.1", port=port, log_level="error", access_log=False, lifespan="off")


async def serve_grpc(port: int, body: bytes) -> None:
    """A bare grpc.aio server with one method and no messages, only bytes."""

    async def echo(request: bytes, context: Any) -> bytes:
        return body

    service, _, method = METHOD[1:].rpartition("/")
    server = grpc.aio.server()
    handlers = {method: grpc.unary_unary_rpc_method_handler(echo)}
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, handlers),))
    server.add_insecure_port(f"127.0.0.1:{port}")
    await server.start()
    await server.wait_for_termination()


if __name__ == "__main__":
    main()
