"""TLS of the mesh: which files a process uses, and refusing plaintext where others could listen.

RECOMESH_TLS_DIR holds `ca.pem`, and `<process>.pem` with `<process>_key.pem` for each process (made by `recomesh
certs init`). With it, every gRPC hop is mutual TLS and the admin planes speak https. Changed files are read again.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, cast

import grpc

from meshkit.errors import SettingsInvalid
from meshkit.settings import MeshSettings

Process = Literal["edge", "catalog", "reco", "profile", "workers", "operator"]
CA_FILE = "ca.pem"
_LOCAL_NAMES = ("localhost", "[::1]", "::1", "unix")


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """PEM files: who is trusted, who this process is."""

    ca: Path | None
    certificate: Path
    key: Path

    def stamp(self) -> tuple[int, ...]:
        """Changes when a file was replaced. A file that is away for a moment changes nothing: OSError."""
        files = (self.ca, self.certificate, self.key)
        return tuple(file.stat().st_mtime_ns for file in files if file is not None)

    def read(self) -> tuple[bytes | None, bytes, bytes]:
        """CA, key, certificate chain."""
        return self.ca.read_bytes() if self.ca else None, self.key.read_bytes(), self.certificate.read_bytes()

    def server_context(self) -> ssl.SSLContext:
        """For an HTTPS server that asks for no client certificate."""
        made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        made.minimum_version = ssl.TLSVersion.TLSv1_2
        made.load_cert_chain(self.certificate, self.key)
        return made


def mesh_tls(settings: MeshSettings, process: Process) -> TlsFiles | None:
    """The files of a process; None: plaintext. SettingsInvalid if one is missing."""
    if settings.tls_dir is None:
        return None
    folder = settings.tls_dir
    files = TlsFiles(folder / CA_FILE, folder / f"{process}.pem", folder / f"{process}_key.pem")
    _require("RECOMESH_TLS_DIR", files, "`recomesh certs init` and `recomesh certs issue` make them")
    return files


def edge_tls(settings: MeshSettings) -> TlsFiles | None:
    """The files of the public REST port; None: plaintext. SettingsInvalid."""
    certificate, key = settings.edge_tls_cert, settings.edge_tls_key
    if certificate is None and key is None:
        return None
    if certificate is None or key is None:
        raise SettingsInvalid("RECOMESH_EDGE_TLS_CERT and RECOMESH_EDGE_TLS_KEY: set both or neither")
    files = TlsFiles(None, certificate, key)
    _require("RECOMESH_EDGE_TLS_CERT", files, "give PEM files")
    return files


def refuse_plaintext(settings: MeshSettings, files: TlsFiles | None, what: str, fix: str) -> None:
    """SettingsInvalid for a listener or target without TLS that is not on this machine alone."""
    if files is not None or settings.allow_plaintext or settings.is_local:
        return
    raise SettingsInvalid(
        f"RECOMESH_HOST: {what} would speak plaintext on {settings.host}; {fix}, "
        "or RECOMESH_ALLOW_PLAINTEXT=1 where something in front of it encrypts"
    )


def refuse_plaintext_target(settings: MeshSettings, target: str, files: TlsFiles | None) -> None:
    """SettingsInvalid for calls without TLS to another machine."""
    host = target.rpartition("/")[2].rpartition(":")[0] or target
    local = host.startswith("127.") or host in _LOCAL_NAMES or target.startswith("unix:")
    if files is None and not local and not settings.allow_plaintext:
        raise SettingsInvalid(
            f"calls to {target} would be plaintext; set RECOMESH_TLS_DIR (`recomesh certs init`), "
            "or RECOMESH_ALLOW_PLAINTEXT=1 where something in between encrypts"
        )


def server_credentials(files: TlsFiles) -> grpc.ServerCredentials:
    """Mutual TLS whose certificates are read again, at a handshake, when the files changed."""
    last = files.stamp()

    def configuration() -> grpc.ServerCertificateConfiguration:
        ca, key, chain = files.read()
        return grpc.ssl_server_certificate_configuration([(key, chain)], root_certificates=ca)

    def newer() -> grpc.ServerCertificateConfiguration | None:
        nonlocal last
        try:
            stamp = files.stamp()
            if stamp == last:
                return None
            made = configuration()
        except OSError:  # being replaced this very moment; the next handshake looks again
            return None
        last = stamp
        return made

    # The stubs forget that None means "as before".
    fetch = cast(Callable[[], grpc.ServerCertificateConfiguration], newer)
    return grpc.dynamic_ssl_server_credentials(configuration(), fetch, require_client_authentication=True)


def channel_credentials(files: TlsFiles) -> grpc.ChannelCredentials:
    """Trusts the mesh's CA and shows this process's certificate."""
    ca, key, chain = files.read()
    return grpc.ssl_channel_credentials(ca, key, chain)


def _require(variable: str, files: TlsFiles, fix: str) -> None:
    missing = [str(f) for f in (files.ca, files.certificate, files.key) if f is not None and not f.is_file()]
    if missing:
        raise SettingsInvalid(f"{variable}: {', '.join(missing)} does not exist; {fix}")
