"""A product nobody had is found through what those who would want it go on to."""

import numpy as np

from reco_svc.domain.blend import BlendWeights
from reco_svc.domain.learning.cold import about_forgotten, best_spread, forgotten, spreading
from reco_svc.domain.learning.events import LearningEvents
from reco_svc.domain.learning.validation import KnownAnswer
from reco_svc.domain.lexical import LexicalProjection
from reco_svc.domain.model import EventType, Product, RuleSet
from reco_svc.domain.popularity import Popularity
from reco_svc.domain.product_table import ProductTable
from reco_svc.domain.question import Question
from reco_svc.domain.snapshot import Collaborative, Graph, SessionIndex, Snapshot
from reco_svc.domain.sources.similar import UnseenSource
from reco_svc.domain.vector_space import VectorSpace
from reco_svc.domain.view import View

SEEN, NEXT, LIKE_SEEN, LIKE_NEXT = range(4)  # who had SEEN goes on to NEXT; nobody had the likes of both
NONE = np.empty(0, np.int64)


def view() -> View:
    table = ProductTable()
    table.load([Product(f"p{row}", f"Thing {row}") for row in range(4)], 0)
    alike = Graph(
        np.array([0, 1, 2, 2, 2]), np.array([LIKE_SEEN, LIKE_NEXT], np.int32), np.array([0.5, 0.9], np.float32)
    )
    weights = np.array([[0.0, 1.0], [1.0, 0.0]], np.float32)
    column, rows = np.array([0, 1, -1, -1], np.int32), np.array([0, 1], np.int32)
    space = VectorSpace(np.array([[1, 0], [0, 1], [1, 0], [0, 1]], np.float32), None)
    snapshot = Snapshot(
        version="",
        products=[Product(f"p{row}", "") for row in range(4)],
        catalog_revision=0,
        vectors=np.zeros((4, 2), np.float32),
        index=None,
        embedder="",
        projection=LexicalProjection.empty(2),
        alike=alike,
        viewed=Graph.empty(4),
        bought=Graph.empty(4),
        sessions=SessionIndex.empty(4),
        collaborative=Collaborative(weights, column, rows, Graph.empty(4)),
        blend=BlendWeights({}, {}),
    )
    popular = Popularity.of_events(np.array([SEEN, NEXT]), np.array([0, 0]), np.ones(2), 4)
    return View(table, space, popular, snapshot, RuleSet())


def question(*rows: int) -> Question:
    size = len(rows)
    return Question(-1, NONE, np.array(rows), [EventType.VIEW_ITEM] * size, [0.0] * size, NONE, "", None, None, 0.0)


def test_with_spread_the_like_of_what_comes_next_is_found_too():
    allowed = np.ones(4, np.bool_)
    without = UnseenSource().propose(spreading(view(), 0.0), question(SEEN), 2, allowed)
    found = UnseenSource().propose(spreading(view(), 0.5), question(SEEN), 2, allowed)
    assert LIKE_NEXT not in without.rows.tolist()
    assert found.rows.tolist() == [LIKE_SEEN, LIKE_NEXT]
    assert found.scores.tolist() == [1.0, 0.5]
    assert found.evidence.tolist() == [SEEN, SEEN]


def test_spread_is_chosen_where_it_finds_more_and_left_where_it_is_not_tried():
    answers = [KnownAnswer(question(SEEN), np.array([LIKE_NEXT]))] * 30
    assert best_spread(view(), answers) > 0
    assert best_spread(view(), answers[:29]) == 0
    assert best_spread(view(), [KnownAnswer(question(SEEN), np.array([LIKE_SEEN]))] * 30) == 0


def test_questions_about_the_forgotten_do_not_mention_it():
    row = np.arange(40)
    early = LearningEvents(row, row, np.full(40, -1), row, row, np.ones(40, np.float32))
    forgot = forgotten(early, 50, seed=3)
    assert forgot.sum() == 6
    assert not forgot[40:].any()
    answers = [
        KnownAnswer(question(*range(20)), np.arange(20, 40)),
        KnownAnswer(question(int(forgot.argmax())), row),
    ]
    [answer] = about_forgotten(answers, forgot)
    assert not forgot[answer.question.session_rows].any()
    assert len(answer.question.session_types) == len(answer.question.session_rows)
    assert forgot[answer.relevant].all()
