"""What a process shows when it calls another: its certificate, and a token if an issuer is set."""

from __future__ import annotations

from dataclasses import dataclass

import grpc

from meshkit.errors import RecomeshError, SettingsInvalid
from meshkit.security.tls import Process, TlsFiles, channel_credentials, mesh_tls, refuse_plaintext_target
from meshkit.security.token_source import TokenSource
from meshkit.settings import MeshSettings, Service


@dataclass(frozen=True, slots=True)
class Identity:
    """`files` None: plaintext, and then no token is sent either, for anybody on the way could take it."""

    files: TlsFiles | None = None
    tokens: TokenSource | None = None

    def credentials(self) -> grpc.ChannelCredentials:
        """For a new channel, from the files as they are now. ValueError without files."""
        if self.files is None:
            raise ValueError("plaintext has no credentials")
        tls = channel_credentials(self.files)
        if self.tokens is None:
            return tls
        return grpc.composite_channel_credentials(tls, grpc.metadata_call_credentials(_Bearer(self.tokens)))


PLAINTEXT = Identity()


def mesh_identity(settings: MeshSettings, process: Process) -> Identity:
    """The identity of a process. SettingsInvalid for plaintext to another machine, and for what is set by halves."""
    files = mesh_tls(settings, process)
    services: tuple[Service, ...] = ("catalog", "reco", "profile")
    for target in (target for service in services for target in settings.targets(service)):
        refuse_plaintext_target(settings, target, files)
    if not settings.client_token_url:
        return Identity(files)
    secret = settings.client_secret.get_secret_value()
    if files is None:
        raise SettingsInvalid("RECOMESH_CLIENT_TOKEN_URL: tokens are sent over TLS only; set RECOMESH_TLS_DIR too")
    if not settings.client_id or not secret:
        raise SettingsInvalid("RECOMESH_CLIENT_TOKEN_URL: needs RECOMESH_CLIENT_ID and RECOMESH_CLIENT_SECRET")
    return Identity(files, TokenSource(settings.client_token_url, settings.client_id, secret))


class _Bearer(grpc.AuthMetadataPlugin):
    """Puts the token into the metadata of each call; called in a thread of gRPC's own."""

    def __init__(self, tokens: TokenSource) -> None:
        self._tokens = tokens

    def __call__(self, context: grpc.AuthMetadataContext, callback: grpc.AuthMetadataPluginCallback) -> None:
        """See gRPC."""
        try:
            callback((("authorization", f"Bearer {self._tokens.token()}"),), None)
        except RecomeshError as error:
            callback((), error)
