"""The service config speaks of every rpc, and only of rpcs that exist."""

import json
from pathlib import Path

from google.protobuf.descriptor import ServiceDescriptor
from recomesh.catalog.v1 import catalog_service_pb2
from recomesh.profile.v1 import profile_service_pb2
from recomesh.reco.v1 import reco_service_pb2

ROOT = Path(__file__).resolve().parents[2]
FILES = (catalog_service_pb2, profile_service_pb2, reco_service_pb2)
SERVICES: list[ServiceDescriptor] = [s for f in FILES for s in f.DESCRIPTOR.services_by_name.values()]


def _configured() -> list[tuple[str, str, dict[str, object]]]:
    config = json.loads((ROOT / "proto/service_config.json").read_text())
    return [(n["service"], n.get("method", ""), m) for m in config["methodConfig"] for n in m["name"]]


def test_every_service_has_a_deadline() -> None:
    with_deadline = {service for service, _, method in _configured() if method.get("timeout")}
    assert {s.full_name for s in SERVICES} <= with_deadline


def test_every_name_in_the_service_config_exists() -> None:
    known = {(s.full_name, m.name) for s in SERVICES for m in s.methods} | {(s.full_name, "") for s in SERVICES}
    known.add(("grpc.health.v1.Health", ""))
    assert [(s, m) for s, m, _ in _configured() if (s, m) not in known] == []


def test_every_rpc_has_its_own_request_and_response() -> None:
    for service in SERVICES:
        for method in service.methods:
            assert method.input_type.name == f"{method.name}Request"
            assert method.output_type.name == f"{method.name}Response"
