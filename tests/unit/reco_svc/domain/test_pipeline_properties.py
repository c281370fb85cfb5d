"""What must hold of every answer, whatever the shop, the query, the visitor and the rules."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from meshkit.filtering import PRODUCT_FIELDS, parse, predicate
from reco_svc.domain.model import (
    Availability,
    Boost,
    Context,
    EventType,
    Preferences,
    Product,
    Recommendation,
    RecommendQuery,
    Rule,
    RuleKind,
    RuleSet,
    SessionStep,
    Strategy,
    Target,
    TargetKind,
)
from reco_svc.domain.view import View
from tests.support.reco_fakes import NOON, FakeSource, pipeline_of, product, view_of

IDS = [f"p{n}" for n in range(12)]
known = st.sampled_from(IDS)
anything = st.sampled_from([*IDS, "unknown", "ü\u0000"])
category = st.sampled_from(["Home", "Home > Kitchen", "Toys", "Nowhere"])
few_ids = st.lists(anything, max_size=4).map(tuple)

products = st.lists(
    st.builds(
        product,
        known,
        categories=st.lists(category, max_size=2).map(tuple),
        brand=st.sampled_from(["", "Acme", "Bolt"]),
        price=st.sampled_from([None, 1.0, 5.0, 9.0]),
        availability=st.sampled_from(Availability),
        group_id=st.sampled_from(["", "", "g", "h"]),
        hidden=st.sampled_from([False, False, False, True]),
        expires_at=st.sampled_from([None, None, NOON, NOON + timedelta(1), NOON - timedelta(1)]),
        tags=st.sampled_from([(), ("sale",)]),
    ),
    unique_by=lambda p: p.product_id,
    max_size=12,
)
targets = st.one_of(
    st.builds(Target, st.just(TargetKind.PRODUCT), anything),
    st.builds(Target, st.just(TargetKind.CATEGORY), category),
    st.builds(Target, st.just(TargetKind.BRAND), st.sampled_from(["acme", "nobody"])),
    st.builds(Target, st.just(TargetKind.TAG), st.just("SALE")),
    st.builds(Target, st.just(TargetKind.FILTER), st.sampled_from(["price > 4", "NOT brand:*"])),
)
rules = st.lists(
    st.builds(
        Rule,
        rule_id=st.sampled_from("abcdef"),
        kind=st.sampled_from(RuleKind),
        target=targets,
        position=st.integers(1, 6),
        factor=st.sampled_from([0.5, 2.0, 100.0]),
        placement=st.sampled_from(["", "home"]),
        segment=st.sampled_from(["", "new"]),
        priority=st.integers(1, 3),
    ),
    unique_by=lambda rule: rule.rule_id,
    max_size=4,
).map(lambda rules: RuleSet("v", tuple(rules)))
steps = st.lists(st.builds(SessionStep, anything, st.sampled_from(EventType), st.none()), max_size=5).map(tuple)
queries = st.builds(
    RecommendQuery,
    strategy=st.sampled_from(Strategy),
    placement=st.sampled_from(["", "home"]),
    session=steps,
    context=st.builds(Context, st.sampled_from(["", "p0", "p1"]), few_ids, st.just("") | category),
    filter=st.sampled_from(["", "price < 6", 'category:"Home"', "NOT brand = acme AND in_stock", "price > 100"]),
    exclude=few_ids,
    boosts=st.lists(st.builds(Boost, targets, st.sampled_from([0.1, 3.0])), max_size=2).map(tuple),
    limit=st.integers(1, 15),
    diversity=st.sampled_from([None, 0.0, 0.3, 1.0]),
    novelty=st.sampled_from([None, 0.5, 1.0]),
    include=st.frozensets(st.sampled_from(["out_of_stock", "purchased"])),
    explain=st.booleans(),
)
visitors = st.none() | st.builds(
    Preferences,
    visitor_id=st.just("v"),
    excluded_categories=st.lists(category, max_size=1).map(tuple),
    opted_out=st.sampled_from([False, False, True]),
    segments=st.sampled_from([(), ("new",)]),
)
scores = st.dictionaries(known, st.sampled_from([0.1, 0.5, 1.0, 7.0]), max_size=12)


@dataclass(frozen=True)
class Case:
    shop: list[Product]
    rules: RuleSet
    query: RecommendQuery
    session: tuple[SessionStep, ...]
    history: tuple[str, ...]
    preferences: Preferences | None
    scores: list[dict[str, float]]

    def view(self) -> View:
        return view_of(*self.shop, rules=self.rules)

    def answer(self) -> Recommendation:
        own = [FakeSource("own", self.scores[0]), FakeSource("other", self.scores[1])]
        pipeline = pipeline_of(*own, fallbacks=[FakeSource("popular", self.scores[2])])
        answer = pipeline.answer(
            self.view(), self.query, self.session, self.history, self.preferences, now=NOON, recommendation_id="r"
        )
        assert not pipeline.caught
        return answer

    @property
    def opted_out(self) -> bool:
        return self.preferences is not None and self.preferences.opted_out

    def may_be_shown(self, product: Product) -> bool:
        """The never-show rules once more, in plain words over products."""
        query, page = self.query, self.query.context
        if product.hidden or (product.expires_at is not None and product.expires_at <= NOON):
            return False
        if product.availability is Availability.OUT_OF_STOCK and "out_of_stock" not in query.include:
            return False
        if product.product_id in (page.product_id, *page.basket, *query.exclude):
            return False
        if "purchased" not in query.include and not self.opted_out and product.product_id in self.history_left():
            return False
        unwanted = () if self.opted_out or not self.preferences else self.preferences.excluded_categories
        if any(path == top or path.startswith(f"{top} > ") for path in product.categories for top in unwanted):
            return False
        return predicate(parse(query.filter, PRODUCT_FIELDS))(as_record(product))

    def history_left(self) -> set[str]:
        refunded = {s.product_id for s in (*self.session, *self.query.session) if s.type is EventType.REFUND}
        return set(self.history) - refunded


def as_record(product: Product) -> dict[str, object]:
    return {
        "price": product.price,
        "brand": product.brand,
        "categories": product.categories,
        "in_stock": product.availability is not Availability.OUT_OF_STOCK,
    }


cases = st.builds(Case, products, rules, queries, steps, few_ids, visitors, st.lists(scores, min_size=3, max_size=3))
many = settings(max_examples=150, deadline=None)


@many
@given(cases)
def test_nothing_that_must_never_be_shown_is_ever_shown(case: Case):
    shop = {product.product_id: product for product in case.shop}
    shown = [shop[item.product_id] for item in case.answer().items]
    assert all(case.may_be_shown(product) for product in shown)
    page = [shop[i] for i in (case.query.context.product_id, *case.query.context.basket) if i in shop]
    groups = [product.group_id for product in (*shown, *{p.product_id: p for p in page}.values()) if product.group_id]
    of_page = [product.group_id for product in page if product.group_id]
    assert len([g for g in groups if g not in of_page]) == len({g for g in groups if g not in of_page})
    assert not {product.group_id for product in shown} & set(of_page)


@many
@given(cases)
def test_a_list_has_no_product_twice_keeps_the_limit_and_counts_positions(case: Case):
    items = case.answer().items
    assert len(items) <= case.query.limit
    assert len({item.product_id for item in items}) == len(items)
    assert [item.position for item in items] == list(range(1, len(items) + 1))
    assert [item.score for item in items] == sorted((item.score for item in items), reverse=True)
    assert all(item.source and item.reasons for item in items)


@many
@given(cases)
def test_a_list_is_full_unless_rules_and_filters_leave_fewer(case: Case):
    cleared = Case(case.shop, RuleSet(), case.query, (), (), case.preferences, case.scores)
    if case.query.strategy in (Strategy.POPULAR, Strategy.TRENDING, Strategy.NEW) and case.query.context.category:
        return
    carted = {s.product_id for s in case.query.session if s.type in (EventType.ADD_TO_CART, EventType.PURCHASE)}
    page = {case.query.context.product_id, *case.query.context.basket, *carted}
    taken = {p.group_id for p in case.shop if p.product_id in page}
    free = [
        p for p in case.shop if cleared.may_be_shown(p) and p.product_id not in page and p.group_id not in taken - {""}
    ]
    distinct = len([p for p in free if not p.group_id]) + len({p.group_id for p in free if p.group_id})
    assert len(cleared.answer().items) >= min(case.query.limit, distinct)


@many
@given(cases)
def test_the_same_question_gets_the_same_answer(case: Case):
    assert case.answer() == case.answer()


@many
@given(cases)
def test_pins_hold(case: Case):
    answer = case.answer()
    rules = {rule.rule_id: rule for rule in case.rules.rules}
    for item in answer.items:
        if item.source == "rule":
            rule = rules[item.reasons[0].removeprefix("pinned_by:")]
            assert rule.target.value == item.product_id
            assert item.position == rule.position or item.position < rule.position <= case.query.limit


@many
@given(cases)
def test_an_excluding_rule_for_everyone_holds(case: Case):
    shown = {item.product_id for item in case.answer().items}
    for rule in case.rules.rules:
        if rule.kind is RuleKind.EXCLUDE and not rule.segment and rule.placement in ("", case.query.placement):
            assert rule.target.kind is not TargetKind.PRODUCT or rule.target.value not in shown
