"""A corpus of bad tokens: each is made from a good issuer and must be refused."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable

import jwt

from tests.support.token_issuer import ISSUER, TokenIssuer


def _unsigned(header: dict[str, object], claims: dict[str, object], signature: bytes = b"") -> str:
    parts = [json.dumps(header).encode(), json.dumps(claims).encode(), signature]
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)


def _hs256_with_the_public_key(issuer: TokenIssuer) -> str:
    text = _unsigned({"alg": "HS256", "typ": "at+jwt", "kid": "k1"}, issuer.claims()).rpartition(".")[0]
    mac = hmac.digest(issuer.public_pem(), text.encode(), hashlib.sha256)
    return f"{text}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"


def _tampered(issuer: TokenIssuer) -> str:
    header, _, signature = issuer.token(recomesh_role="public").split(".")
    claims = base64.urlsafe_b64encode(json.dumps(issuer.claims()).encode()).rstrip(b"=").decode()
    return f"{header}.{claims}.{signature}"


def _embedded_key(issuer: TokenIssuer) -> str:
    other = TokenIssuer()
    return other.token({"jwk": json.loads(other.jwks())["keys"][0], "jku": "http://evil.example/jwks"})


BAD_TOKENS: dict[str, Callable[[TokenIssuer], str]] = {
    "alg none": lambda i: _unsigned({"alg": "none", "typ": "at+jwt", "kid": "k1"}, i.claims()),
    "alg None": lambda i: _unsigned({"alg": "None", "typ": "at+jwt", "kid": "k1"}, i.claims()),
    "alg RS256 without a signature": lambda i: _unsigned({"alg": "RS256", "typ": "at+jwt", "kid": "k1"}, i.claims()),
    "HS256 with the public key": _hs256_with_the_public_key,
    "HS256 with a guess": lambda i: jwt.encode(i.claims(), "x" * 32, "HS256", headers={"kid": "k1", "typ": "at+jwt"}),
    "another issuer's key with our kid": lambda i: TokenIssuer().token(),
    "a key inside the token": _embedded_key,
    "another algorithm of ours": lambda i: TokenIssuer("ES256").token(),
    "tampered claims": _tampered,
    "tampered signature": lambda i: i.token()[:-6] + "AAAAAA",
    "wrong audience": lambda i: i.token(aud="other"),
    "list of wrong audiences": lambda i: i.token(aud=["a", "b"]),
    "wrong issuer": lambda i: i.token(iss="https://issuer.example.evil"),
    "issuer as a list": lambda i: i.token(iss=[ISSUER]),
    "expired": lambda i: i.token(iat=int(time.time()) - 700, exp=int(time.time()) - 60),
    "issued in the future": lambda i: i.token(iat=int(time.time()) + 600),
    "not yet valid": lambda i: i.token(nbf=int(time.time()) + 600),
    "no exp": lambda i: i.token(exp=None),
    "no iat": lambda i: i.token(iat=None),
    "no iss": lambda i: i.token(iss=None),
    "no aud": lambda i: i.token(aud=None),
    "no sub": lambda i: i.token(sub=None),
    "exp as text": lambda i: i.token(exp="tomorrow"),
    "exp beyond floats": lambda i: i.token(exp=10**400),
    "an ID token": lambda i: i.token({"typ": "JWT"}),
    "no typ": lambda i: i.token({"typ": None}),
    "typ as a number": lambda i: i.token({"typ": 1}),
    "unknown kid": lambda i: i.token({"kid": "k9"}),
    "no kid": lambda i: i.token({"kid": None}),
    "kid with a path": lambda i: i.token({"kid": "../../dev/null"}),
    "kid with SQL": lambda i: i.token({"kid": "k1' OR '1'='1"}),
    "kid as a list": lambda i: i.token({"kid": ["k1"]}),
    "a critical extension": lambda i: i.token({"crit": ["exp"]}),
    "an unknown role": lambda i: i.token(recomesh_role="root"),
    "role as a list": lambda i: i.token(recomesh_role=["operator"]),
    "scope as a list": lambda i: i.token(scope=["models:write"]),
    "subject with a line break": lambda i: i.token(sub="alice\nx-recomesh-caller: root"),
    "an oversized subject": lambda i: i.token(sub="a" * 300),
    "oversized": lambda i: i.token(filler="x" * 9000),
    "two parts": lambda i: ".".join(i.token().split(".")[:2]),
    "five parts": lambda i: i.token() + ".a.b",
    "padding": lambda i: i.token() + "=",
    "a blank inside": lambda i: i.token().replace(".", ". ", 1),
    "no JSON": lambda i: "AAAA.AAAA.AAAA",
    "a JSON list as header": lambda i: f"{base64.urlsafe_b64encode(b'[1]').rstrip(b'=').decode()}.e30.AAAA",
    "deep JSON": lambda i: f"{base64.urlsafe_b64encode(b'[' * 3000).rstrip(b'=').decode()}.e30.AAAA",
    "empty": lambda i: "",
    "dots": lambda i: "..",
}
