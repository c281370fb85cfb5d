"""Choosing Redis by URL."""

import pytest

from meshkit.errors import SettingsInvalid
from meshkit.redis.open import open_link


def test_memory_needs_no_redis() -> None:
    assert open_link("memory://") is None


@pytest.mark.parametrize("url", ["redis://cache.example:6379/1", "rediss://:secret@cache.example"])
def test_a_redis_url_makes_a_link_that_has_not_connected(url: str) -> None:
    link = open_link(url)

    assert link is not None
    assert not link.away
    link.close()


@pytest.mark.parametrize("url", ["", "redis", "redis://", "memcached://host", "redis://h:99999", "redis://h/names"])
def test_any_other_url_names_the_variable_and_what_is_allowed(url: str) -> None:
    with pytest.raises(SettingsInvalid, match="RECOMESH_CACHE_URL: memory://, redis://"):
        open_link(url)
