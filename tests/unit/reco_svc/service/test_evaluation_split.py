"""A task from a shop's own stores."""

from datetime import timedelta

import pytest

from meshkit.errors import FailedPrecondition
from reco_svc.domain.evaluation.splitting import Split
from reco_svc.domain.model import EventType, Product
from reco_svc.service.evaluation_split import own_task
from reco_svc.service.evaluation_task import TaskCatalog
from tests.support.reco_stores import NOON, MemoryInteractionLog, interaction

PRODUCTS = [Product(f"p{at}", f"Product {at}") for at in range(6)]


def _log(visits: int, *, again: int = 1) -> MemoryInteractionLog:
    """Every visitor comes `again` times, a day apart, and buys two products each time, others than before."""
    log = MemoryInteractionLog()
    for at in range(visits):
        visitor, visit = at % (visits // again), at // (visits // again)
        begin = NOON + timedelta(hours=at)
        log.append(
            [
                interaction(
                    f"e{at}-{step}",
                    f"p{(visitor + 2 * visit + step) % 6}",
                    visitor_id=f"v{visitor}",
                    type=EventType.PURCHASE,
                    at=begin + timedelta(minutes=step),
                )
                for step in range(2)
            ]
        )
    return log


def test_the_newest_sessions_are_asked_and_not_learned_from() -> None:
    task = own_task(TaskCatalog(PRODUCTS), _log(200), Split.SESSION, share=0.1)
    assert len(task.queries) == 20
    assert task.log.count() == 360
    latest = task.log.latest_at()
    assert latest is not None
    assert latest < NOON + timedelta(hours=180)
    assert {len(q.history) for q in task.queries} == {1} == {len(q.relevant) for q in task.queries}
    assert not any(query.visitor_id for query in task.queries)


def test_the_next_visit_names_the_visitor_and_wants_what_is_new() -> None:
    log = _log(100, again=2)
    task = own_task(TaskCatalog(PRODUCTS), log, Split.NEXT, share=0.3)
    assert len(task.queries) == 30
    for query in task.queries:
        before = set(task.log.purchased([query.visitor_id])[query.visitor_id])
        assert before == set(query.history)
        assert query.relevant
        assert not query.relevant & before


def test_too_little_history_is_told_with_what_to_do() -> None:
    with pytest.raises(FailedPrecondition, match=r"2 questions, at least 10 are needed.*import more history") as error:
        own_task(TaskCatalog(PRODUCTS), _log(20), Split.SESSION)
    assert error.value.reason == "TOO_LITTLE_DATA"


def test_an_empty_shop_is_told_too() -> None:
    with pytest.raises(FailedPrecondition, match="0 events give 0 questions"):
        own_task(TaskCatalog([]), MemoryInteractionLog(), Split.NEXT)
