"""Generated requests against a running mesh: every rpc, every route of the OpenAPI document. No 5xx, no hang, no leak.

A short slice with a fixed seed runs with the tests; `make fuzz` runs FUZZ_CASES per rpc and route from FUZZ_SEED.
"""

import os
import random
import zlib
from collections.abc import Iterator
from importlib import import_module

import grpc
import httpx
import pytest
import schemathesis
from google.protobuf.message_factory import GetMessageClass
from hypothesis import HealthCheck, Phase, given, seed, settings

from bench.mesh import Mesh, private_mesh
from tests.support.rpc_fuzz import random_message

pytestmark = pytest.mark.timeout(3600)
CASES = int(os.environ.get("FUZZ_CASES", "12"))
SEED = int(os.environ.get("FUZZ_SEED", "20260131"))
SERVICES = {"catalog": "catalog", "profile": "profile", "reco": "reco"}
LEAKS = ("Traceback", "sqlite3", "psycopg", "sqlalchemy", 'File "')
WRONG = {grpc.StatusCode.INTERNAL, grpc.StatusCode.UNKNOWN, grpc.StatusCode.DEADLINE_EXCEEDED}
# Each of these starts work that outlives the call; the suites of training try them.
LONG = {"TrainModel"}


@pytest.fixture(scope="module")
def mesh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mesh]:
    with private_mesh(tmp_path_factory.mktemp("fuzz"), worker_embedder="lsa", edge_deadline_s="10") as running:
        yield running


def rpcs() -> Iterator[tuple[str, str]]:
    for noun in SERVICES:
        descriptor = import_module(f"recomesh.{noun}.v1.{noun}_service_pb2").DESCRIPTOR
        for service in descriptor.services_by_name.values():
            yield from ((noun, f"/{service.full_name}/{m.name}") for m in service.methods if m.name not in LONG)


@pytest.mark.parametrize(("noun", "path"), list(rpcs()))
def test_no_generated_message_breaks_an_rpc(mesh: Mesh, noun: str, path: str) -> None:
    chosen = zlib.crc32(f"{SEED}{path}".encode())
    print(f"FUZZ_SEED={SEED} cases={CASES}")  # noqa: T201  (so that a failure can be repeated)
    rng = random.Random(chosen)
    _, service, name = path.split("/")
    descriptor = import_module(f"recomesh.{noun}.v1.{noun}_service_pb2").DESCRIPTOR
    method = descriptor.services_by_name[service.rpartition(".")[2]].methods_by_name[name]
    request_class = GetMessageClass(method.input_type)
    bad = []
    with grpc.insecure_channel(mesh.settings.target(noun)) as channel:  # type: ignore[arg-type]
        unary, stream = channel.unary_unary(path), channel.stream_unary(path)
        for number in range(CASES):
            sent = random_message(request_class(), rng).SerializeToString()
            body = sent if number % 4 else sent[: len(sent) // 2] + rng.randbytes(8)  # one in four is no message at all
            try:
                if method.client_streaming:
                    stream(iter([body] * rng.choice((0, 1, 3))), timeout=20)
                else:
                    unary(body, timeout=20)
            except grpc.RpcError as error:
                if error.code() in WRONG or any(leak in (error.details() or "") for leak in LEAKS):
                    bad.append((number, error.code().name, error.details(), body[:200]))
    assert bad == []


def test_no_generated_request_breaks_a_route(mesh: Mesh) -> None:
    base = f"http://127.0.0.1:{mesh.port}"
    print(f"FUZZ_SEED={SEED} cases={CASES}")  # noqa: T201  (so that a failure can be repeated)
    schema = schemathesis.openapi.from_dict(httpx.get(f"{base}/openapi.json", trust_env=False, timeout=10).json())
    bad = []
    for found in schema.get_all_operations():
        operation = found.ok()

        @seed(SEED)
        @settings(
            max_examples=CASES,
            deadline=None,
            database=None,
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy())
        def once(case: schemathesis.Case) -> None:
            answer = case.call(base_url=base, timeout=20)
            text = answer.text
            if answer.status_code >= 500 and answer.status_code != 503:
                bad.append((case.method, case.formatted_path, answer.status_code, text[:300]))
            if any(leak in text for leak in LEAKS):
                bad.append((case.method, case.formatted_path, "leak", text[:300]))

        once()
    assert bad == []
    assert httpx.get(f"{base}/readyz", trust_env=False, timeout=10).status_code == 200
