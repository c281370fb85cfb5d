"""What `recomesh doctor` says of a real Redis."""

import re

import redis

from recomesh_cli.checks.model import Verdict
from recomesh_cli.checks.redis import ask_redis
from tests.support.servers import RedisServer


def test_a_redis_that_answers_is_told_with_its_version_and_latency(redis_server: RedisServer) -> None:
    check = ask_redis(redis_server.url).check

    assert check.verdict in (Verdict.OK, Verdict.WARN)  # a busy machine may be slow
    assert check.found.startswith("Redis ")
    assert re.search(r" answers in \d+\.\d ms", check.found)


def test_a_full_redis_that_keeps_everything_is_worth_knowing(redis_server: RedisServer) -> None:
    with redis.Redis.from_url(redis_server.url) as client:
        client.config_set("maxmemory", "100mb")
        try:
            check = ask_redis(redis_server.url).check
        finally:
            client.config_set("maxmemory", "0")

    assert check.verdict is Verdict.WARN
    assert "allkeys-lru" in check.fix


def test_a_wrong_url_names_the_variable() -> None:
    check = ask_redis("memcached://host").check

    assert check.verdict is Verdict.FAIL
    assert "RECOMESH_CACHE_URL" in check.found
