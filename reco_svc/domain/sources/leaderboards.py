"""Sources that need no visitor: `popular`, `trending`, `new`; each within the question's category if it has one."""

from __future__ import annotations

import numpy as np

from reco_svc.domain.candidates import Candidates
from reco_svc.domain.leaderboard import Leaderboard
from reco_svc.domain.ports import Mask, Vectors
from reco_svc.domain.question import Question
from reco_svc.domain.view import View

REFRESH_S = 60.0  # how long scores that change with the clock alone are kept


class PopularSource:
    """Most wanted, by weighted events with a half-life of two weeks."""

    name = "popular"
    reason = "popular_in"

    def propose(self, view: View, question: Question, k: int, allowed: Mask) -> Candidates:
        """See candidates.Source."""
        return _within_category(popular_board(view, question), view, question, k, allowed)


class TrendingSource:
    """Rising fastest against its own past."""

    name = "trending"
    reason = "trending_in"

    def propose(self, view: View, question: Question, k: int, allowed: Mask) -> Candidates:
        """See candidates.Source."""
        rows, moment_s = len(view.products), _moment(question)
        made_from = (view.popularity, view.popularity.version, rows, moment_s)
        board = view.products.leaderboards.get(
            self.name, made_from, view.products, lambda: view.popularity.trending(rows, moment_s)
        )
        return _within_category(board, view, question, k, allowed)


class NewSource:
    """Newest first; the score is the inverse of the age in days plus one. Products from the future count as of now."""

    name = "new"
    reason = "new_in"

    def propose(self, view: View, question: Question, k: int, allowed: Mask) -> Candidates:
        """See candidates.Source."""
        moment_s = _moment(question)
        made_from = (view.products.epoch, moment_s)

        def scores() -> Vectors:
            age_days = np.maximum(0.0, (moment_s - view.products.created_s) / 86_400.0)
            return (1.0 / (1.0 + age_days)).astype(np.float32)

        board = view.products.leaderboards.get(self.name, made_from, view.products, scores)
        return _within_category(board, view, question, k, allowed)


def popular_board(view: View, question: Question) -> Leaderboard:
    """The most wanted of the whole shop."""
    rows, moment_s = len(view.products), _moment(question)
    made_from = (view.popularity, view.popularity.version, rows, moment_s)
    return view.products.leaderboards.get(
        PopularSource.name, made_from, view.products, lambda: view.popularity.popular(rows, moment_s)
    )


def _moment(question: Question) -> float:
    """The clock of a question, in steps, so that questions of one minute share a leaderboard."""
    return question.now_s - question.now_s % REFRESH_S


def _within_category(board: Leaderboard, view: View, question: Question, k: int, allowed: Mask) -> Candidates:
    if question.category:
        allowed = allowed & view.products.in_category(question.category)
    rows, scores = board.best(k, allowed, view.products)
    return Candidates(rows, scores, np.full(len(rows), -1, np.int64))
