"""What fuzzing once broke stays whole, and the seeds of fuzzing mean what they should."""

from pathlib import Path

import pytest

from meshkit.filtering import PREFERENCE_FIELDS, PRODUCT_FIELDS, parse
from tests.fuzzing.targets import SEEDS, TARGETS, Target

CRASHES = [(file.parent.name, file) for file in sorted((Path(__file__).parent / "crashes").glob("*/*"))]


@pytest.mark.parametrize(("name", "file"), CRASHES, ids=lambda value: getattr(value, "name", value))
def test_an_input_that_once_broke_something(name: str, file: Path) -> None:
    TARGETS[name](file.read_bytes())


@pytest.mark.parametrize(("name", "target"), TARGETS.items())
def test_the_seeds_hold(name: str, target: Target) -> None:
    for seed in SEEDS[name]:
        target(seed)


def test_every_filter_among_the_seeds_is_one() -> None:
    *of_products, of_visitors, last = SEEDS["filters"]
    assert all(parse(seed.decode(), PRODUCT_FIELDS) for seed in (*of_products, last))
    assert parse(of_visitors.decode(), PREFERENCE_FIELDS)
