"""The five processes of the mesh: what starts them, which ports they take, where they tell their state."""

from __future__ import annotations

from dataclasses import dataclass

from meshkit.settings import ENV_PREFIX, MeshSettings


@dataclass(frozen=True, slots=True)
class MeshProcess:
    """One process. `port_fields` are names of settings; `state_field` is the port that answers /readyz.

    `stop_stage`: lower ones are stopped first, so that nothing new comes in while the rest drains. One that answered
    and then does not for `hang_s` seconds is killed and started again. `nice` above 0: the others have the processor
    first.
    """

    name: str
    module: str
    port_fields: tuple[str, ...]
    state_field: str
    stop_stage: int
    colour: str
    hang_s: float = 10.0
    nice: int = 0

    def state_url(self, settings: MeshSettings) -> str:
        """Where `/readyz`, `/status` and `/metrics` hang."""
        scheme = "https" if settings.tls_dir and self.state_field.endswith("_admin_port") else "http"
        return f"{scheme}://{connect_host(settings)}:{getattr(settings, self.state_field)}"


PROCESSES = (
    MeshProcess("catalog", "catalog_svc", ("catalog_port", "catalog_admin_port"), "catalog_admin_port", 1, "green"),
    MeshProcess("reco", "reco_svc", ("reco_port", "reco_admin_port"), "reco_admin_port", 1, "magenta"),
    MeshProcess("profile", "profile_svc", ("profile_port", "profile_admin_port"), "profile_admin_port", 1, "yellow"),
    MeshProcess("workers", "queue_workers", ("worker_port",), "worker_port", 2, "blue", hang_s=30.0, nice=5),
    MeshProcess("edge", "edge", ("edge_port", "edge_metrics_port"), "edge_metrics_port", 0, "cyan", hang_s=3.0),
)


def connect_host(settings: MeshSettings) -> str:
    """Address at which this machine reaches its own servers, in brackets for IPv6."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.host, settings.host)
    return f"[{host}]" if ":" in host else host


def variable(field: str) -> str:
    """Environment variable of a setting."""
    return f"{ENV_PREFIX}{field.upper()}"
