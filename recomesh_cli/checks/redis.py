"""Is Redis there, what is it, and does it answer in time?"""

from __future__ import annotations

import time
from contextlib import closing
from typing import Any

from meshkit.errors import SettingsInvalid, Unavailable
from meshkit.redis.link import BUDGET_S
from meshkit.redis.open import VARIABLE, open_link
from meshkit.settings import shown
from recomesh_cli.checks.model import Backend, Verdict

NAME = "cache"
_OLDEST = (6, 2)
_WAIT_S = 1.0  # to tell a slow one from one that is away


def ask_redis(url: str) -> Backend:
    """Redis lets us in, is new enough, answers well within the budget of a request and may throw old values away."""
    try:
        link = open_link(url, budget_s=_WAIT_S)
    except SettingsInvalid as error:
        trouble, fix = error.message, f"correct {VARIABLE}"
        return Backend(NAME, "cache", "", shown(url), verdict=Verdict.FAIL, trouble=trouble, fix=fix)
    if link is None:
        return Backend(NAME, "memory of each process", "", shown(url))
    with closing(link):
        try:
            link.call(lambda redis: redis.ping())  # connects
            began = time.perf_counter()
            facts = link.call(lambda redis: redis.info())
            took_s = time.perf_counter() - began
        except Unavailable as error:
            fix = f"start it, or correct {VARIABLE}; until then every process goes on by itself"
            return Backend(NAME, "Redis", "", shown(url), verdict=Verdict.FAIL, trouble=error.message, fix=fix)
    verdict, trouble, fix = _judged(facts, took_s)
    return Backend(
        NAME, "Redis", str(facts["redis_version"]), shown(url), round(took_s * 1000, 1), verdict, trouble, fix
    )


def _judged(facts: dict[str, Any], took_s: float) -> tuple[Verdict, str, str]:
    version = str(facts["redis_version"])
    if tuple(int(part) for part in version.split(".")[:2]) < _OLDEST:
        return Verdict.FAIL, "too old", "use Redis 6.2 or newer"
    if facts.get("maxmemory", 0) and facts.get("maxmemory_policy") == "noeviction":
        fix = "set its maxmemory-policy to allkeys-lru: when it is full it is as good as away"
        return Verdict.WARN, "keeps old values when its memory is full", fix
    if took_s > BUDGET_S / 2:
        limit = f"what takes longer than {BUDGET_S * 1000:.0f} ms is as good as away"
        return Verdict.WARN, "slow", f"bring it nearer: {limit}"
    return Verdict.OK, "", ""
