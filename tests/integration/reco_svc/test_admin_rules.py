"""Merchandising rules through the pages: create, check, change, switch, bring back."""

from datetime import timedelta

import pytest
from django.utils.html import escape

from reco_svc.adapters.django_rule_repository import DjangoRuleRepository
from reco_svc.domain.model import RuleKind, Target, TargetKind
from tests.support.reco_admin import Browser
from tests.support.reco_stores import NOON

ADD = "/reco_store/rulerow/add/"
LIST = "/reco_store/rulerow/"
HISTORY = "/reco_store/rulesetrow/"
RULE = {
    "name": "Garden week",
    "enabled": "on",
    "kind": "boost",
    "target_kind": "category",
    "target_value": "Home > Garden",
    "position": 1,
    "factor": 3,
    "placement": "home",
    "segment": "gardeners",
    "starts_at_0": "2026-05-01",
    "starts_at_1": "12:00:00",
    "ends_at_0": "2026-05-08",
    "ends_at_1": "12:00:00",
    "priority": 10,
}


def _add(browser: Browser, **fields: object) -> str:
    answer = browser.submit(ADD, **{**RULE, **fields})
    assert answer.url.path == LIST, answer.text
    return answer.text


def test_a_rule_made_in_the_form_is_published(browser: Browser) -> None:
    page = _add(browser)

    (rule,) = DjangoRuleRepository().current().rules
    assert (rule.kind, rule.target) == (RuleKind.BOOST, Target(TargetKind.CATEGORY, "Home > Garden"))
    assert (rule.factor, rule.placement, rule.segment, rule.priority) == (3.0, "home", "gardeners", 10)
    assert (rule.starts_at, rule.ends_at) == (NOON, NOON + timedelta(days=7))
    assert escape("multiplies scores by 3 for category “Home > Garden” and below") in page
    assert escape("placement “home”, segment “gardeners”") in page


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"name": ""}, "This field is required."),
        ({"kind": "pin"}, "A pin needs a product."),
        ({"target_value": " "}, "This field is required."),
        ({"target_kind": "product", "target_value": "x" * 129}, "A product id has 1 to 128 bytes."),
        ({"target_kind": "filter", "target_value": "price < "}, "column 8"),
        ({"target_kind": "filter", "target_value": "colour = 1"}, "there is no field"),
        ({"factor": 0}, "Above 0, at most 100."),
        ({"factor": "nan"}, "Enter a number."),
        ({"factor": 1e9}, "Above 0, at most 100."),
        ({"position": 0}, "1 to 100."),
        ({"position": 10**30}, "1 to 100."),
        ({"priority": 10**30}, "less than or equal to"),
        ({"ends_at_0": "2026-04-01"}, "It must end after it starts."),
        ({"starts_at_0": "yesterday"}, "Enter a valid date."),
        ({"target_value": "a\x07b"}, "Control characters are not allowed."),
    ],
)
def test_a_wrong_field_is_named_and_nothing_is_published(browser: Browser, wrong: dict[str, object], said: str) -> None:
    answer = browser.submit(ADD, **{**RULE, **wrong})

    assert answer.status_code == 200
    assert escape(said) in answer.text
    assert DjangoRuleRepository().version() == "0"


def test_a_filter_rule_is_checked_and_kept(browser: Browser) -> None:
    _add(browser, kind="exclude", target_kind="filter", target_value='price > 100 AND brand = "Acme"')

    (rule,) = DjangoRuleRepository().current().rules
    assert rule.target == Target(TargetKind.FILTER, 'price > 100 AND brand = "Acme"')


def test_names_are_escaped(browser: Browser) -> None:
    assert "<script>alert" not in _add(browser, name="<script>alert(1)</script>")


def test_saving_without_a_change_makes_no_version(browser: Browser) -> None:
    _add(browser)
    (rule,) = DjangoRuleRepository().current().rules
    change = f"{LIST}{rule.rule_id.removeprefix('rule-')}/change/"

    browser.submit(change, **RULE)
    assert DjangoRuleRepository().version() == "1"

    browser.submit(change, **{**RULE, "factor": 4})
    assert DjangoRuleRepository().version() == "2"
    assert DjangoRuleRepository().current().rules[0].factor == 4.0
    assert "changed “Garden week” (factor)" in browser.get(HISTORY).text


def test_rules_are_switched_off_and_on_together(browser: Browser) -> None:
    _add(browser)
    _add(browser, name="Second")
    ids = [r.rule_id.removeprefix("rule-") for r in DjangoRuleRepository().current().rules]

    browser.submit(LIST, action="switch_off", _selected_action=ids)
    assert DjangoRuleRepository().current().rules == ()
    assert DjangoRuleRepository().version() == "3"

    browser.submit(LIST, action="switch_off", _selected_action=ids)
    assert DjangoRuleRepository().version() == "3"

    browser.submit(LIST, action="switch_on", _selected_action=ids[:1])
    assert [r.rule_id for r in DjangoRuleRepository().current().rules] == [f"rule-{ids[0]}"]


def test_a_deleted_rule_comes_back_with_its_version(browser: Browser) -> None:
    _add(browser)
    (rule,) = DjangoRuleRepository().current().rules
    number = rule.rule_id.removeprefix("rule-")
    browser.submit(f"{LIST}{number}/delete/", post="yes")
    assert DjangoRuleRepository().current().rules == ()

    page = browser.get(f"{HISTORY}1/roll-back/")
    assert f"added rule-{number} “Garden week”" in page.text
    answer = browser.submit(f"{HISTORY}1/roll-back/")

    assert "The rules of version 1 hold again, as version 3." in answer.text
    assert DjangoRuleRepository().current().rules == (rule,)


def test_the_chosen_rules_are_deleted_as_one_version(browser: Browser) -> None:
    _add(browser)
    _add(browser, name="Second")
    ids = [r.rule_id.removeprefix("rule-") for r in DjangoRuleRepository().current().rules]

    browser.submit(LIST, action="delete_selected", _selected_action=ids, post="yes")

    assert (DjangoRuleRepository().version(), DjangoRuleRepository().current().rules) == ("3", ())


def test_a_version_shows_its_rules_in_words_and_an_unknown_one_is_not_found(browser: Browser) -> None:
    _add(browser, kind="pin", target_kind="product", target_value="85123A", position=2)

    assert "shows product 85123A at position 2" in browser.get(f"{HISTORY}1/change/").text
    assert browser.get(f"{HISTORY}99/roll-back/").status_code == 404
