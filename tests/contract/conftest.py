"""The databases that suites run over."""

import pytest

from tests.support.reco_database import fresh_database


@pytest.fixture(scope="session")
def reco_postgres_url(postgres) -> str:
    """One PostgreSQL database of the recommender for all tests of this worker; `fresh_database` empties it."""
    return str(postgres.new_database())


@pytest.fixture(scope="session")
def profile_postgres_url(reco_postgres_url) -> str:
    """Profiles live beside the recommender, in the same database."""
    return reco_postgres_url


@pytest.fixture
def open_reco_database(request):
    """Empties and chooses "sqlite" or "postgres"."""

    def choose(kind: str) -> None:
        fresh_database(request.getfixturevalue("reco_postgres_url") if kind == "postgres" else "")

    return choose
