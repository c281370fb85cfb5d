"""A closed mesh: mutual TLS on every hop, keys required everywhere. And no secret in any log."""

import base64
import json
import os
import ssl
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import grpc
import httpx
import pytest
from recomesh.catalog.v1 import catalog_service_pb2, catalog_service_pb2_grpc

from bench.mesh import Mesh, private_mesh
from meshkit.security.authority import Authority
from meshkit.security.roles import Role
from tests.support.processes import wait_until

EVENT = {"event_id": "e1", "type": "view_item", "visitor_id": "v1", "product_id": "mug"}
PEPPER = "pepper-that-must-not-be-logged"


@dataclass
class Guarded:
    mesh: Mesh
    rest: httpx.Client
    secrets: list[str]

    def key(self, name: str, role: str) -> tuple[str, str]:
        """Its id and text, known to the edge; other processes look for new keys on their own."""
        made = json.loads(self.mesh.recomesh("keys", "create", name, "--role", role, "--json").stdout)
        self.secrets.append(made["key"][16:52])
        wait_until(lambda: self.get("/v1/popular", made["key"]).status_code == 200, what="the new key is known")
        return made["key_id"], made["key"]

    def verdict(self, key: str) -> str:
        """On a new event of the visitor v1."""
        event = {**EVENT, "event_id": str(uuid.uuid4())}
        answer = self.rest.post("/v1/events", json={"events": [event]}, headers={"x-api-key": key})
        return str(answer.json()["verdicts"][0]["verdict"])

    def get(self, path: str, key: str = "") -> httpx.Response:
        return self.rest.get(path, headers={"authorization": f"Bearer {key}"} if key else {})


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    home = tmp_path_factory.mktemp("guarded")
    certs = home / "certs"
    authority = Authority(certs)
    authority.create()
    for name in ("edge", "catalog", "reco", "profile", "workers"):
        authority.issue(name, Role.SERVICE)
    authority.issue("operator", Role.OPERATOR)
    closed = {
        "tls_dir": str(certs),
        "mesh_auth": "required",
        "require_key": "1",
        "key_pepper": PEPPER,
        "log_level": "debug",
        "worker_embedder": "lsa",
    }
    with (
        private_mesh(home, **closed) as mesh,
        httpx.Client(base_url=f"http://127.0.0.1:{mesh.port}", timeout=10, trust_env=False) as rest,
    ):
        yield Guarded(mesh, rest, [PEPPER])


def test_shoppers_and_merchandisers_get_their_part_and_strangers_nothing(guarded: Guarded, tmp_path: Path) -> None:
    _, shop = guarded.key("shop-front", "shop")
    _, merchandiser = guarded.key("assortment", "merchandiser")
    products = tmp_path / "products.jsonl"
    products.write_text('{"product_id": "mug", "title": "Mug", "price": 9.5, "currency": "EUR"}\n')
    guarded.mesh.recomesh("import", "products", str(products))  # over mutual TLS, as the operator

    assert guarded.get("/v1/popular").status_code == 401
    wait_until(lambda: guarded.get("/v1/products/mug", shop).status_code == 200, what="the product is at the edge")
    wait_until(lambda: guarded.verdict(shop) == "accepted", what="the recommender follows the catalog's feed")
    refused = guarded.rest.post("/v1/events", json={"events": [EVENT]}, headers={"x-api-key": merchandiser})
    assert (refused.status_code, refused.json()["type"].rsplit("/", 1)[1]) == (403, "scope-missing")
    assert guarded.get("/v1/profiles/v1", shop).status_code == 200
    erased = guarded.rest.delete("/v1/profiles/v1", headers={"x-api-key": shop})  # edge → profile → reco, for the shop
    assert erased.status_code == 200, erased.text
    assert guarded.get("/v1/profiles/v1", merchandiser).status_code == 403


def test_a_revoked_key_is_refused_by_the_running_edge(guarded: Guarded) -> None:
    key_id, key = guarded.key("short-lived", "shop")
    guarded.mesh.recomesh("keys", "revoke", key_id)
    wait_until(lambda: guarded.get("/v1/popular", key).status_code == 401, within_s=30, what="the key is refused")


def test_grpc_takes_nobody_without_a_certificate(guarded: Guarded) -> None:
    target = guarded.mesh.settings.target("catalog")
    request = catalog_service_pb2.GetProductRequest(product_id="mug")
    with grpc.insecure_channel(target) as channel, pytest.raises(grpc.RpcError) as refused:
        catalog_service_pb2_grpc.CatalogServiceStub(channel).GetProduct(request, timeout=5)
    assert refused.value.code() in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED)


def test_admin_planes_speak_https_and_take_a_key_or_the_password(guarded: Guarded) -> None:
    settings = guarded.mesh.settings
    home = Path(settings.home)
    password = (home / "admin_password").read_text().strip()
    guarded.secrets += [password, base64.b64encode(f"admin:{password}".encode()).decode()]
    _, merchandiser = guarded.key("admin-api", "merchandiser")
    trust = ssl.create_default_context(cafile=str(home / "certs" / "ca.pem"))
    with httpx.Client(verify=trust, trust_env=False, timeout=10) as client:
        for port in (settings.catalog_admin_port, settings.profile_admin_port):
            url = f"https://127.0.0.1:{port}"
            assert client.get(f"{url}/").status_code == 401
            assert client.get(f"{url}/", auth=("admin", "wrong")).status_code == 401
            assert client.get(f"{url}/", auth=("admin", password)).status_code in (200, 302)
        api = f"https://127.0.0.1:{settings.catalog_admin_port}/v1/overview"
        by_key = {"authorization": f"Bearer {merchandiser}"}
        wait_until(lambda: client.get(api, headers=by_key).status_code == 200, what="the catalog knows the key")
        login = client.get(f"https://127.0.0.1:{settings.reco_admin_port}/login/")
        assert login.status_code == 200
        assert all("Secure" in cookie for cookie in login.headers.get_list("set-cookie"))


def test_status_and_doctor_work_over_tls(guarded: Guarded) -> None:
    states = json.loads(guarded.mesh.recomesh("status", "--json").stdout)
    assert "does not answer" not in json.dumps(states)


def test_no_secret_is_in_any_log(guarded: Guarded) -> None:
    home = Path(guarded.mesh.settings.home)
    files = ("reco_secret_key", "admin_password")
    secrets = [*guarded.secrets, *((home / name).read_text().strip() for name in files)]
    secrets += [
        line for name in ("edge", "ca") for line in (home / f"certs/{name}_key.pem").read_text().splitlines()[1:3]
    ]
    log = (home / "mesh.log").read_text()
    assert len(log) > 1000
    assert os.linesep in log
    assert [secret for secret in secrets if secret in log] == []
