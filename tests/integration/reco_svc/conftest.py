from collections.abc import Iterator

import pytest

from tests.support.reco_admin import Browser, FakeShop, admin_plane
from tests.support.reco_database import fresh_database


@pytest.fixture
def shop() -> FakeShop:
    return FakeShop()


@pytest.fixture
def address(shop: FakeShop) -> Iterator[str]:
    fresh_database()
    with admin_plane(shop) as url:
        yield url


@pytest.fixture
def stranger(address: str) -> Iterator[Browser]:
    with Browser(base_url=address, timeout=30) as browser:
        yield browser


@pytest.fixture
def browser(stranger: Browser) -> Browser:
    assert stranger.log_in().url.path == "/"
    return stranger
