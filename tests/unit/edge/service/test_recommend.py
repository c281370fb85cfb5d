"""Answering a question, whatever is away."""

import pytest

from edge.adapters.memory_cache import MemoryCache
from edge.adapters.redis_shared_cache import NothingShared
from edge.domain.card import Card
from edge.domain.change_history import ChangeHistory
from edge.domain.recommendation import Question, Recommendation, SessionStep
from edge.service.answer_memory import SETTLING_S, SETTLING_TTL_S, AnswerMemory
from edge.service.card_book import CardBook
from edge.service.leaderboard import FALLBACK_LEVEL, Leaderboard
from edge.service.recommend import Recommend
from meshkit.errors import DeadlineExceeded, InvalidArgument, Unavailable
from tests.unit.edge.service.conftest import Clock, FakeCatalog, FakeReco, answer, card

POPULAR = Question(strategy="popular")


class Parts:
    def __init__(self, catalog: FakeCatalog, reco: FakeReco, clock: Clock) -> None:
        catalog.held = {i: card(i, price=n * 10) for n, i in enumerate("abc", 1)}
        reco.answers["popular"] = answer("a", "b", "c")
        self.held = MemoryCache[Question, Recommendation](max_entries=100, ttl_s=60, keep_s=3600, jitter=0, clock=clock)
        self.book = CardBook(
            catalog,
            MemoryCache[str, Card](max_entries=100, ttl_s=300, clock=clock),
            NothingShared(),
            ChangeHistory(),
            clock=clock,
        )
        self.answers = AnswerMemory(self.held, NothingShared(), ChangeHistory(), clock=clock)
        self.leaderboard = Leaderboard(reco, self.book, self.answers)
        self.recommend = Recommend(reco, self.book, self.answers, self.leaderboard)


@pytest.fixture
def parts(catalog: FakeCatalog, reco: FakeReco, clock: Clock) -> Parts:
    return Parts(catalog, reco, clock)


async def ids(parts: Parts, question: Question = POPULAR) -> list[str]:
    return [item.product_id for item in (await parts.recommend(question)).items]


async def test_a_shared_answer_is_asked_once_until_it_is_old(parts: Parts, reco: FakeReco, clock: Clock) -> None:
    for _ in range(3):
        assert await ids(parts) == ["a", "b", "c"]
    assert len(reco.asked) == 1
    clock.now += 61
    await ids(parts)
    assert len(reco.asked) == 2


@pytest.mark.parametrize(
    "question",
    [
        Question(visitor_id="v"),
        Question(session=(SessionStep("a"),)),
        Question(basket=("a",)),
        Question(query="q"),
        Question(exclude=("a",)),
    ],
)
async def test_what_belongs_to_one_shopper_is_asked_every_time(
    parts: Parts, reco: FakeReco, question: Question
) -> None:
    await parts.recommend(question)
    await parts.recommend(question)
    assert len(reco.asked) == 2


async def test_products_that_may_not_be_shown_are_left_out_and_positions_close_up(
    parts: Parts, catalog: FakeCatalog
) -> None:
    catalog.held["a"] = card("a", hidden=True)
    catalog.held["b"] = card("b", sold_out=True)
    shown = await parts.recommend(POPULAR)
    assert [(item.product_id, item.position) for item in shown.items] == [("c", 1)]
    assert await ids(parts, POPULAR._replace(include=("out_of_stock",))) == ["b", "c"]


async def test_ids_alone_need_no_card_but_mind_those_held(parts: Parts, catalog: FakeCatalog) -> None:
    shown = await parts.recommend(POPULAR, with_cards=False)
    assert (len(shown.items), shown.cards, catalog.asked) == (3, {}, [])
    await parts.recommend(POPULAR)
    parts.book.changed(Card.of_gone("b", 2))
    shown = await parts.recommend(POPULAR, with_cards=False)
    assert [item.product_id for item in shown.items] == ["a", "c"]


async def test_the_last_good_answer_then_the_popular_ones_then_nothing(
    parts: Parts, reco: FakeReco, clock: Clock
) -> None:
    await ids(parts)
    reco.error = DeadlineExceeded("slow")
    clock.now += 100
    stale = await parts.recommend(POPULAR)
    assert (stale.degraded, stale.age_s, len(stale.items)) == (True, 100.0, 3)
    with pytest.raises(Unavailable):
        await parts.recommend(Question(strategy="new"))
    reco.error = None
    await parts.leaderboard.refresh()
    reco.error = Unavailable("reco")
    popular = await parts.recommend(Question(strategy="new", limit=2))
    assert (popular.answer.fallback_level, popular.degraded, len(popular.items)) == (FALLBACK_LEVEL, True, 2)
    clock.now += 3601
    assert (await parts.recommend(POPULAR)).answer.fallback_level == FALLBACK_LEVEL


async def test_a_fallback_keeps_to_filter_category_and_exclusions(parts: Parts, reco: FakeReco) -> None:
    await parts.leaderboard.refresh()
    reco.error = Unavailable("reco")
    assert await ids(parts, Question(filter="price > 15")) == ["b", "c"]
    assert await ids(parts, Question(category="home")) == ["a", "b", "c"]
    assert await ids(parts, Question(category="Garden")) == []
    assert await ids(parts, Question(product_id="a", basket=("b",), exclude=("x",))) == ["c"]
    with pytest.raises(InvalidArgument):
        await ids(parts, Question(filter="price >"))


async def test_a_wrong_question_is_never_a_fallback(parts: Parts, reco: FakeReco) -> None:
    await parts.leaderboard.refresh()
    reco.error = InvalidArgument.of("filter", "is wrong")
    with pytest.raises(InvalidArgument):
        await parts.recommend(POPULAR)


async def test_after_a_change_answers_are_young_until_the_recommender_knows(
    parts: Parts, reco: FakeReco, clock: Clock
) -> None:
    await ids(parts)
    parts.answers.outdate()
    await ids(parts)
    clock.now += SETTLING_TTL_S + 0.01
    await ids(parts)
    assert len(reco.asked) == 3
    clock.now += SETTLING_S
    await ids(parts)
    clock.now += 30
    await ids(parts)
    assert len(reco.asked) == 4


async def test_new_versions_outdate_every_answer(parts: Parts, reco: FakeReco) -> None:
    await ids(parts)
    epoch = parts.answers.epoch
    reco.answers["new"] = answer("c", rules="r2")
    await ids(parts, Question(strategy="new"))
    assert parts.answers.epoch == epoch + 1
    reco.answers["popular"] = answer("b", rules="r2")
    assert await ids(parts) == ["b"]


async def test_a_missing_card_of_an_absent_catalog_is_marked(parts: Parts, catalog: FakeCatalog) -> None:
    catalog.error = Unavailable("catalog")
    shown = await parts.recommend(POPULAR)
    assert (len(shown.items), shown.cards, shown.degraded) == (3, {}, True)
