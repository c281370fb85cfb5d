"""A process that answers /readyz on FAKE_PORT; FAKE_MODE says how it misbehaves. Run with -m."""

import asyncio
import os
import signal
import subprocess
import sys

from meshkit.process import run
from meshkit.settings import MeshSettings


async def serve(settings: MeshSettings, stop: asyncio.Event) -> None:
    mode = os.environ.get("FAKE_MODE", "")
    if mode == "crash":
        sys.stderr.write("Traceback: it broke\n")
        raise SystemExit(3)
    if mode == "misconfigured":
        sys.stderr.write("fake: RECOMESH_FAKE: must be better\n")
        raise SystemExit(2)
    if mode == "stubborn":
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, lambda: None)
    if mode == "parent":
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])  # noqa: ASYNC220
        sys.stderr.write(f"grandchild {child.pid}\n")

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if b"/livez" in await reader.readline():
            sys.stderr.write("asked whether it lives\n")
        body = b'{"fake": "ok"}'
        writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", int(os.environ["FAKE_PORT"]))
    async with server:
        await stop.wait()


if __name__ == "__main__":
    run("fake", MeshSettings, serve)
