"""A development issuer of tokens, on Authlib and its joserfc: signs anything, serves JWKS and client credentials."""

from __future__ import annotations

import base64
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

import jwt
from authlib.oauth2.rfc6749.util import extract_basic_authorization
from joserfc.jwk import ECKey, RSAKey

ISSUER, AUDIENCE = "https://issuer.example", "recomesh"


class TokenIssuer:
    """`clients` are secrets by client id; their tokens have the role "service"."""

    def __init__(self, algorithm: str = "RS256") -> None:
        self.algorithm = algorithm
        self.clients: dict[str, str] = {}
        self.issued = 0
        self.life_s = 300
        self.keys: dict[str, Any] = {}
        self.rotate("k1")

    def rotate(self, kid: str) -> None:
        """A new key pair; older ones stay published."""
        facts: Any = {"kid": kid, "use": "sig", "alg": self.algorithm}
        is_ec = self.algorithm == "ES256"
        self.keys[kid] = ECKey.generate_key("P-256", facts) if is_ec else RSAKey.generate_key(2048, facts)
        self.kid = kid

    def jwks(self) -> bytes:
        return json.dumps({"keys": [key.as_dict(private=False) for key in self.keys.values()]}).encode()

    def public_pem(self) -> bytes:
        pem: bytes = self.keys[self.kid].as_pem(private=False)
        return pem

    def claims(self, **changed: object) -> dict[str, object]:
        """Good claims; a change to None leaves one out."""
        now = int(time.time())
        good = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": "alice",
            "iat": now,
            "exp": now + self.life_s,
            "recomesh_role": "operator",
        }
        return {name: value for name, value in {**good, **changed}.items() if value is not None}

    def token(self, header: dict[str, object] | None = None, **claims: object) -> str:
        """A signed token. `header` fields replace the good ones; None leaves one out."""
        fields = {"alg": self.algorithm, "typ": "at+jwt", "kid": self.kid, **(header or {})}
        fields = {name: value for name, value in fields.items() if value is not None}
        return self.signed(json.dumps(fields).encode(), json.dumps(self.claims(**claims)).encode())

    def signed(self, header: bytes, claims: bytes) -> str:
        """Any two texts with a good signature; no library would sign some of what the tests need."""
        text = b".".join(base64.urlsafe_b64encode(part).rstrip(b"=") for part in (header, claims))
        signer = jwt.get_algorithm_by_name(self.algorithm)
        signature = signer.sign(text, self.keys[self.kid].private_key)
        return (text + b"." + base64.urlsafe_b64encode(signature).rstrip(b"=")).decode()

    @contextmanager
    def serving(self) -> Iterator[str]:
        """Serves `/jwks` and `/token` on a port that the system chooses; yields the address."""
        server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
            server.server_close()


def _handler(issuer: TokenIssuer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer(200, issuer.jwks()) if self.path == "/jwks" else self._answer(404, b"{}")

        def do_POST(self) -> None:
            form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
            name, secret = extract_basic_authorization(self.headers)
            known = name in issuer.clients and issuer.clients[name] == secret
            if not known or form.get("grant_type") != ["client_credentials"]:
                self._answer(401, b'{"error": "invalid_client"}')
                return
            issuer.issued += 1
            token = issuer.token(sub=name, recomesh_role="service")
            body = {"access_token": token, "token_type": "Bearer", "expires_in": issuer.life_s}
            self._answer(200, json.dumps(body).encode())

        def _answer(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Silent."""

    return Handler
