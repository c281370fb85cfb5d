"""What every RuleRepository keeps, and the history behind the one on the ORM."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from meshkit.errors import NotFound
from reco_svc.adapters.django_rule_repository import DjangoRuleRepository
from reco_svc.domain.model import Rule, RuleKind, RuleSet, Target, TargetKind
from reco_svc.domain.ports import RuleRepository
from tests.support.reco_stores import NOON, MemoryRuleRepository


@pytest.fixture(autouse=True, params=["sqlite", "postgres"])
def _database(request: pytest.FixtureRequest, open_reco_database: Callable[[str], None]) -> None:
    open_reco_database(request.param)


def _save(**fields: Any) -> Any:
    from reco_svc.orm.models import RuleRow
    from reco_svc.orm.rule_history import rule_change

    row = RuleRow(**{"name": "A rule", "kind": "boost", "target_kind": "brand", "target_value": "Acme", **fields})
    with rule_change("tester", f"saved {row.name}"):
        row.save()
    return row


@pytest.fixture(params=["memory", "django"])
def publish(request: pytest.FixtureRequest) -> Callable[[], tuple[RuleRepository, RuleRepository]]:
    """Gives a repository before and after one rule was published."""

    def run() -> tuple[RuleRepository, RuleRepository]:
        if request.param == "memory":
            rule = Rule("rule-1", RuleKind.BOOST, Target(TargetKind.BRAND, "Acme"))
            return MemoryRuleRepository(), MemoryRuleRepository(RuleSet("1", (rule,)))
        before = DjangoRuleRepository()
        assert (before.version(), before.current()) == ("0", RuleSet())
        _save()
        return MemoryRuleRepository(), before

    return run


def test_the_version_names_the_set_of_enabled_rules(
    publish: Callable[[], tuple[RuleRepository, RuleRepository]],
) -> None:
    empty, full = publish()

    assert (empty.version(), empty.current()) == ("0", RuleSet())
    current = full.current()
    assert full.version() == current.version != "0"
    assert [(r.kind, r.target, r.factor) for r in current.rules] == [
        (RuleKind.BOOST, Target(TargetKind.BRAND, "Acme"), 2.0)
    ]


def test_a_rule_comes_back_with_every_field() -> None:
    row = _save(
        kind="pin",
        target_kind="product",
        target_value="p1",
        position=3,
        factor=1.5,
        placement="home",
        segment="gardeners",
        starts_at=NOON,
        ends_at=NOON + timedelta(days=1),
        priority=7,
    )

    assert DjangoRuleRepository().current().rules == (
        Rule(
            rule_id=f"rule-{row.pk}",
            kind=RuleKind.PIN,
            target=Target(TargetKind.PRODUCT, "p1"),
            position=3,
            factor=1.5,
            placement="home",
            segment="gardeners",
            starts_at=NOON,
            ends_at=NOON + timedelta(days=1),
            priority=7,
        ),
    )


def test_a_rule_that_is_switched_off_stays_in_the_history_only() -> None:
    from reco_svc.orm.models import RuleSetRow

    row = _save(enabled=False)
    repository = DjangoRuleRepository()

    assert repository.version() == "1"
    assert repository.current().rules == ()
    assert [r["id"] for r in RuleSetRow.objects.get(version=1).rules] == [row.pk]


def test_any_earlier_set_can_be_brought_back_as_a_new_version() -> None:
    from reco_svc.orm.models import RuleSetRow
    from reco_svc.orm.rule_history import differences, roll_back, rule_change

    first = _save(name="first", starts_at=NOON)
    before = DjangoRuleRepository().current().rules
    second = _save(name="second")
    first.factor = 9.0
    with rule_change("tester", "changed first"):
        first.save()
    with rule_change("tester", "deleted second"):
        second.delete()

    assert roll_back(1, "tester") == 5

    repository = DjangoRuleRepository()
    assert (repository.version(), repository.current().rules) == ("5", before)
    versions = {v.version: v for v in RuleSetRow.objects.all()}
    assert versions[5].summary == "rolled back to version 1"
    assert differences(versions[4], versions[5]) == [f"changed rule-{first.pk} “first” (factor)"]
    assert differences(versions[3], versions[4]) == [f"removed rule-{versions[3].rules[1]['id']} “second”"]
    assert differences(None, versions[1]) == [f"added rule-{first.pk} “first”"]

    assert roll_back(2, "tester") == 6
    assert [r.rule_id for r in repository.current().rules] == [r["id"] and f"rule-{r['id']}" for r in versions[2].rules]


def test_rolling_back_to_an_unknown_version_changes_nothing() -> None:
    from reco_svc.orm.rule_history import roll_back

    _save()
    with pytest.raises(NotFound) as error:
        roll_back(99, "tester")

    assert error.value.reason == "RULE_SET_NOT_FOUND"
    assert DjangoRuleRepository().version() == "1"


def test_a_change_that_fails_makes_no_version() -> None:
    from reco_svc.orm.models import RuleRow
    from reco_svc.orm.rule_history import rule_change

    def half_done() -> None:
        with rule_change("tester", "half done"):
            RuleRow.objects.all().delete()
            raise RuntimeError

    _save()
    with pytest.raises(RuntimeError):
        half_done()

    assert DjangoRuleRepository().version() == "1"
    assert len(DjangoRuleRepository().current().rules) == 1


def test_a_rule_made_after_a_roll_back_gets_a_number_that_was_never_used() -> None:
    from reco_svc.orm.rule_history import roll_back

    _save(name="first")
    second = _save(name="second")
    number = second.pk
    roll_back(1, "tester")

    assert _save(name="third").pk > number
