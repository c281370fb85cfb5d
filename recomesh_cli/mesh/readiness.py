"""What each process says about itself."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field

import httpx

from meshkit.security.tls import CA_FILE
from meshkit.settings import MeshSettings
from recomesh_cli.mesh.processes import MeshProcess


@dataclass(frozen=True, slots=True)
class ProcessState:
    """`answers`: it could be asked. `parts`: readiness part → "ok" or its trouble. `status`: its /status, if any."""

    process: MeshProcess
    answers: bool = False
    ready: bool = False
    parts: Mapping[str, str] = field(default_factory=dict)
    status: Mapping[str, object] = field(default_factory=dict)

    @property
    def summary(self) -> str:
        """One line for people."""
        if not self.answers:
            return "does not answer"
        troubles = [f"{part}: {trouble}" for part, trouble in self.parts.items() if trouble != "ok"]
        return "ready" if self.ready else ", ".join(troubles) or "not ready"


async def ask_state(client: httpx.AsyncClient, settings: MeshSettings, process: MeshProcess) -> ProcessState:
    """Its /readyz now; never raises."""
    try:
        answer = await client.get(f"{process.state_url(settings)}/readyz")
        body = answer.json()
    except (httpx.HTTPError, ValueError):
        return ProcessState(process)
    parts = body.get("parts", body) if isinstance(body, dict) else {}
    texts = {str(k): str(v) for k, v in parts.items()} if isinstance(parts, dict) else {}
    return ProcessState(process, True, answer.status_code == 200, texts)


def state_client(settings: MeshSettings, timeout_s: float = 2.0) -> httpx.AsyncClient:
    """A client that uses no proxy: all addresses are this machine's own. Over TLS it trusts the mesh's CA alone."""
    return httpx.AsyncClient(timeout=timeout_s, trust_env=False, verify=mesh_trust(settings))


def mesh_trust(settings: MeshSettings) -> ssl.SSLContext | bool:
    """Whom to trust for https to a plane."""
    if settings.tls_dir is None:
        return True
    return ssl.create_default_context(cafile=str(settings.tls_dir / CA_FILE))
