"""Tests see no setting of the mesh but those they make themselves; real servers start when the first test wants one."""

import os
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from meshkit.settings import ENV_PREFIX

for _name in [name for name in os.environ if name.startswith(ENV_PREFIX)]:
    del os.environ[_name]

# A busy machine is no reason to fail: neither for the time an example takes nor for the time it takes to make one.
settings.register_profile("mesh", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("mesh")


def _session(kind: str) -> Iterator[object]:
    from tests.support import servers  # unit tests, which Bazel runs too, need no server

    with servers.started(getattr(servers, kind)()) as server:
        yield server


@pytest.fixture(scope="session")
def postgres() -> Iterator[object]:
    """A PostgresServer for all tests of this worker: take a `new_database()` each."""
    yield from _session("PostgresServer")


@pytest.fixture(scope="session")
def redis_server() -> Iterator[object]:
    """A RedisServer for all tests of this worker: flush it first."""
    yield from _session("RedisServer")


@pytest.fixture(scope="session")
def rabbit() -> Iterator[object]:
    """A RabbitServer for all tests of this worker."""
    yield from _session("RabbitServer")


@pytest.fixture(scope="session")
def mongo(postgres: object) -> Iterator[object]:
    """A MongoServer for all tests of this worker: take a `new_database()` each."""
    from tests.support import mongo_server, servers

    with servers.started(mongo_server.MongoServer(postgres)) as server:  # type: ignore[arg-type]
        yield server
